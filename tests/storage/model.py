"""What a storage does to jobs, said as plainly as possible: no index, every answer by looking at all jobs.

Backends are compared with this step by step. It is written from the contract, not from any backend.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from gotask import v1
from gotask.jobs.states import (
    CANCELLED,
    DEAD,
    EXPIRED,
    PENDING,
    RETRYABLE,
    RETRYING,
    RUNNING,
    SCHEDULED,
    SUCCESS,
    TERMINAL,
    WAITING,
    allowed,
)
from gotask.storage.contract import Finish, Finished, FinishStatus, Inserted, InsertStatus, Lease, LeaseStatus, Slot

State: TypeAlias = v1.JobState.ValueType


@dataclass
class ModelQueue:
    """A queue's limits and token bucket."""

    max_workers: int = 0
    max_length: int = 0
    rate_limit: float = 0.0
    paused: bool = False
    tokens: float | None = None
    tokens_at: int = 0


@dataclass
class ModelJob:
    """What is told of a job, and its place in line."""

    spec: v1.JobSpec
    state: State
    arrival: int = 0
    expires_at: int = 0
    attempt: int = 0
    forgiven: int = 0
    ready_at: int = 0
    due_at: int = 0
    lease_until: int = 0
    worker: str = ""
    started_at: int = 0
    finished_at: int = 0
    cancel_requested: bool = False
    attempts: list[int] = field(default_factory=list)
    result: bytes = b""
    progress: int = 0

    def move(self, state: State) -> None:
        assert self.state == 0 or allowed(self.state, state), (self.state, state)
        self.state = state
        self.due_at = self.lease_until = self.finished_at = 0


class Model:
    """Queues by name, jobs by id."""

    def __init__(self) -> None:
        self.queues: dict[str, ModelQueue] = {}
        self.jobs: dict[str, ModelJob] = {}
        self.arrivals = 0

    def select(self, queue: str, *states: State) -> list[ModelJob]:
        return [job for job in self.jobs.values() if job.spec.queue == queue and job.state in states]

    def line_up(self, job: ModelJob, now: int) -> None:
        self.arrivals += 1
        job.move(PENDING)
        job.arrival, job.ready_at = self.arrivals, now

    def end(self, job: ModelJob, state: State, now: int) -> None:
        job.move(state)
        job.finished_at = now

    def holder(self, key: str) -> str | None:
        held = (job.spec.id for job in self.jobs.values() if job.spec.unique_key == key and job.state not in TERMINAL)
        return next(held, None) if key else None

    def first_with(self, key: str) -> str | None:
        return next((job_id for job_id, job in self.jobs.items() if key and job.spec.idempotency_key == key), None)

    def insert(self, spec: v1.JobSpec, now: int) -> Inserted:
        existing = spec.id if spec.id in self.jobs else self.first_with(spec.idempotency_key)
        existing = existing or self.holder(spec.unique_key)
        if existing:
            return Inserted(InsertStatus.DUPLICATE, existing_id=existing)
        queue = self.queues.get(spec.queue)
        if queue is None:
            return Inserted(InsertStatus.QUEUE_UNKNOWN)
        if queue.max_length and len(self.select(spec.queue, *WAITING)) >= queue.max_length:
            return Inserted(InsertStatus.QUEUE_FULL)
        job = self.jobs[spec.id] = ModelJob(spec, v1.JOB_STATE_UNSPECIFIED, expires_at=spec.expires_at_us)
        if spec.scheduled_at_us > now:
            job.move(SCHEDULED)
            job.due_at = spec.scheduled_at_us
        else:
            self.line_up(job, now)
        return Inserted(InsertStatus.CREATED, job.state)

    def claim(
        self, slots: Sequence[Slot], now: int, lease_until: int
    ) -> tuple[list[list[tuple[str, int, int]]], list[str]]:
        """Per slot the ids, attempts and tries it gets; and what was found expired."""
        expired: list[str] = []
        given = []
        for slot in slots:
            taken: list[tuple[str, int, int]] = []
            for share in slot.shares:
                for _ in range(min(share.limit, slot.capacity - len(taken))):
                    job = self.next_job(share.queue, now, expired)
                    if job is None:
                        break
                    job.move(RUNNING)
                    job.attempt += 1
                    job.worker, job.started_at, job.lease_until = slot.worker, now, lease_until
                    taken.append((job.spec.id, job.attempt, job.attempt - job.forgiven))
            given.append(taken)
        return given, expired

    def next_job(self, name: str, now: int, expired: list[str]) -> ModelJob | None:
        queue = self.queues.get(name)
        if queue is None or queue.paused:
            return None
        if queue.max_workers and len(self.select(name, RUNNING)) >= queue.max_workers:
            return None
        size = max(queue.rate_limit, 1.0)
        tokens = size
        if queue.tokens is not None:
            tokens = min(size, queue.tokens + (now - queue.tokens_at) * queue.rate_limit / 1e6)
        if queue.rate_limit and tokens < 1:
            return None
        for job in sorted(self.select(name, PENDING), key=lambda job: (-job.spec.priority, job.arrival)):
            if not job.expires_at or job.expires_at > now:
                if queue.rate_limit:
                    queue.tokens, queue.tokens_at = tokens - 1, now
                return job
            self.end(job, EXPIRED, now)
            expired.append(job.spec.id)
        return None

    def finish(self, outcome: Finish, now: int) -> Finished:
        job = self.jobs.get(outcome.job_id)
        if job is None or job.attempt != outcome.attempt:
            return Finished(FinishStatus.STALE)
        state = CANCELLED if job.cancel_requested and outcome.state in WAITING else outcome.state
        if job.state != RUNNING:
            return Finished(FinishStatus.REPEATED, state) if job.state == state else Finished(FinishStatus.STALE)
        job.attempts.append(outcome.attempt)
        job.forgiven += outcome.forgiven
        if state in TERMINAL:
            self.end(job, state, now)
            job.result = outcome.result if state == SUCCESS else b""
        else:
            job.progress = 0
            job.move(state)
            job.due_at = outcome.due_at_us if state == RETRYING else 0
            job.ready_at = now if state == PENDING else job.ready_at
        return Finished(FinishStatus.APPLIED, state)

    def extend(self, lease: Lease, until: int) -> LeaseStatus:
        job = self.jobs.get(lease.job_id)
        if job is None or job.state != RUNNING or job.attempt != lease.attempt:
            return LeaseStatus.LOST
        job.lease_until = until
        return LeaseStatus.CANCEL_REQUESTED if job.cancel_requested else LeaseStatus.EXTENDED

    def set_progress(self, job_id: str, attempt: int, percent: int) -> bool:
        job = self.jobs.get(job_id)
        if job is None or job.state != RUNNING or job.attempt != attempt:
            return False
        job.progress = percent
        return True

    def release(self, job: ModelJob, now: int) -> bool:
        if job.state not in (SCHEDULED, RETRYING) or job.due_at > now:
            return False
        self.line_up(job, now)
        return True

    def cancel(self, job: ModelJob, now: int) -> bool:
        if job.state in WAITING:
            self.end(job, CANCELLED, now)
            return True
        if job.state != RUNNING or job.cancel_requested:
            return False
        job.cancel_requested = True
        return True

    def cancel_waiting(self, queue: str, now: int) -> list[str]:
        waiting = [job for job in self.jobs.values() if job.state in WAITING and job.spec.queue == queue]
        for job in waiting:
            self.end(job, CANCELLED, now)
        return sorted(job.spec.id for job in waiting)

    def retry(self, job: ModelJob, now: int) -> bool:
        if job.state not in RETRYABLE or self.holder(job.spec.unique_key):
            return False
        job.forgiven, job.expires_at, job.cancel_requested, job.progress = job.attempt, 0, False, 0
        self.line_up(job, now)
        return True

    def delete(self, job: ModelJob) -> bool:
        if job.state in TERMINAL:
            del self.jobs[job.spec.id]
        return job.state in TERMINAL

    def expire(self, now: int) -> list[str]:
        over = [job for job in self.jobs.values() if job.state in WAITING and 0 < job.expires_at <= now]
        over.sort(key=lambda job: (job.expires_at, job.spec.id))
        for job in over:
            self.end(job, EXPIRED, now)
        return [job.spec.id for job in over]

    def prune(self, before: int) -> int:
        over = [job_id for job_id, job in self.jobs.items() if job.state in TERMINAL and job.finished_at <= before]
        for job_id in over:
            del self.jobs[job_id]
        return len(over)

    def counts(self, name: str) -> dict[str, int]:
        names = {"pending": PENDING, "running": RUNNING, "scheduled": SCHEDULED, "retrying": RETRYING, "dead": DEAD}
        return {field: len(self.select(name, state)) for field, state in names.items()}
