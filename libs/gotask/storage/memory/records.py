"""How the memory backend keeps a job and a queue."""

from collections import defaultdict
from dataclasses import dataclass, field

from gotask import v1
from gotask.storage.memory.ordered import Ordered

_BUCKET_US = 10_000_000
_BUCKETS_PER_MINUTE = 6


@dataclass(slots=True)
class JobRecord:
    """A stored job. *spec* is never changed; *place* is its place in line, kept while it runs."""

    spec: v1.JobSpec
    state: v1.JobState.ValueType
    expires_at_us: int
    place: int = 0
    attempt: int = 0
    forgiven: int = 0
    ready_at_us: int = 0
    due_at_us: int = 0
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
            spec=self.spec,
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
        )
        if self.history:
            job.history.ParseFromString(self.history)
        if self.progress:
            job.progress.ParseFromString(self.progress)
        return job


@dataclass(slots=True)
class QueueRecord:
    """A queue: its settings, its jobs by state, its counters, its token bucket."""

    queue: v1.Queue
    by_state: defaultdict[v1.JobState.ValueType, Ordered] = field(default_factory=lambda: defaultdict(Ordered))
    completed: int = 0
    failed: int = 0
    buckets: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    tokens: float = 0.0
    tokens_at_us: int = 0

    def count(self, *states: v1.JobState.ValueType) -> int:
        return sum(len(self.by_state[state]) for state in states)

    def tokens_now(self, now_us: int) -> float:
        """What the token bucket holds: one second's worth at most, at least one."""
        rate = self.queue.rate_limit
        size = max(rate, 1.0)
        if self.tokens_at_us == 0:
            return size
        return min(size, self.tokens + max(now_us - self.tokens_at_us, 0) * rate / 1_000_000)

    def take_tokens(self, count: int, now_us: int) -> None:
        self.tokens = self.tokens_now(now_us) - count
        self.tokens_at_us = max(now_us, self.tokens_at_us)

    def count_ended(self, now_us: int) -> None:
        bucket = now_us // _BUCKET_US
        if bucket not in self.buckets:
            for old in [old for old in self.buckets if old <= bucket - _BUCKETS_PER_MINUTE]:
                del self.buckets[old]
        self.buckets[bucket] += 1

    def ended_last_minute(self, now_us: int) -> int:
        oldest = now_us // _BUCKET_US - _BUCKETS_PER_MINUTE
        return sum(count for bucket, count in self.buckets.items() if bucket > oldest)
