"""How the memory backend keeps a job and a queue."""

import heapq
from collections import deque
from dataclasses import dataclass, field

from gotask import v1
from gotask.jobs.states import PENDING

THROUGHPUT_WINDOW_S = 60


@dataclass(slots=True)
class JobRecord:
    """A stored job. *spec* is never changed; *place* orders pending jobs: priority first, then arrival."""

    spec: v1.JobSpec
    data: bytes
    state: v1.JobState.ValueType
    place: tuple[int, int] = (0, 0)
    attempt: int = 0
    forgiven: int = 0
    ready_at_us: int = 0
    due_at_us: int = 0
    expires_at_us: int = 0
    lease_until_us: int = 0
    worker: str = ""
    started_at_us: int = 0
    finished_at_us: int = 0
    result: bytes = b""
    cancel_requested: bool = False
    progress: bytes = b""
    history: bytes = b""

    def to_job(self) -> v1.Job:
        """The job as it stands, as a copy."""
        job = v1.Job(
            state=self.state,
            attempt=self.attempt,
            attempts_forgiven=self.forgiven,
            ready_at_us=self.ready_at_us,
            due_at_us=self.due_at_us,
            lease_until_us=self.lease_until_us,
            worker=self.worker,
            started_at_us=self.started_at_us,
            finished_at_us=self.finished_at_us,
            result=self.result,
            cancel_requested=self.cancel_requested,
            history=v1.History.FromString(self.history),
        )
        job.spec.ParseFromString(self.data)
        if self.progress:
            job.progress.ParseFromString(self.progress)
        return job


@dataclass(slots=True)
class QueueRecord:
    """A queue, its line of pending jobs and its counters.

    Entries of *line* whose job has another state or place by now are garbage, dropped when they come up; so are those of
    *kept*, the successful and the other terminal jobs by the time they ended.
    """

    queue: v1.Queue
    line: list[tuple[tuple[int, int], str]] = field(default_factory=list)
    states: dict[v1.JobState.ValueType, set[str]] = field(default_factory=dict)
    completed: int = 0
    failed: int = 0
    finished: deque[tuple[int, int]] = field(default_factory=deque)  # jobs that ended, per second
    kept: tuple[deque[tuple[int, str]], deque[tuple[int, str]]] = field(default_factory=lambda: (deque(), deque()))
    tokens: float = 0.0
    tokens_at_us: int = 0

    def ids(self, state: v1.JobState.ValueType) -> set[str]:
        """The ids of its jobs in *state*."""
        found = self.states.get(state)
        if found is None:
            found = self.states[state] = set()
        return found

    def count(self, *states: v1.JobState.ValueType) -> int:
        return sum(len(self.states.get(state, ())) for state in states)

    def refill(self, now_us: int) -> None:
        """Adds the tokens that came since the last time; the bucket holds one second's worth, at least one."""
        rate = self.queue.rate_limit
        size = max(rate, 1.0)
        if self.tokens_at_us == 0:
            self.tokens = size
        else:
            self.tokens = min(size, self.tokens + max(now_us - self.tokens_at_us, 0) * rate / 1e6)
        self.tokens_at_us = max(now_us, self.tokens_at_us)

    def record_finished(self, now_us: int) -> None:
        second = now_us // 1_000_000
        if self.finished and self.finished[-1][0] >= second:
            self.finished[-1] = (self.finished[-1][0], self.finished[-1][1] + 1)
        else:
            self.finished.append((second, 1))

    def finished_last_minute(self, now_us: int) -> int:
        while self.finished and self.finished[0][0] <= now_us // 1_000_000 - THROUGHPUT_WINDOW_S:
            self.finished.popleft()
        return sum(jobs for _, jobs in self.finished)

    def compact(self, jobs: dict[str, JobRecord]) -> None:
        """Rebuilds the line once most of it is garbage, so that it costs no more than the jobs that wait."""
        if len(self.line) > 2 * self.count(PENDING) + 1_000:
            self.line = [(jobs[job_id].place, job_id) for job_id in self.ids(PENDING)]
            heapq.heapify(self.line)
