"""The documents of REST as models: for OpenAPI and for tests. No request passes through them."""

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

EventKind = Literal[
    "created",
    "released",
    "started",
    "progress",
    "succeeded",
    "retrying",
    "failed",
    "dead",
    "cancelled",
    "expired",
    "returned",
    "deleted",
    "stale",
]
Status = Literal["scheduled", "pending", "running", "retrying", "success", "failed", "dead", "cancelled", "expired"]
Strategy = Literal["exponential", "linear", "fixed"]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class JobError(_Document):
    type: str
    """The exception's class, or Timeout, LeaseLost, UnknownType."""
    message: str
    traceback: str | None


class Progress(_Document):
    percent: float
    message: str | None
    updated_at: AwareDatetime | None


class Attempt(_Document):
    attempt: int
    worker: str | None
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    outcome: Literal["unspecified", "success", "failure", "cancelled", "returned", "lease_lost"]
    error: JobError | None


class Job(_Document):
    """A job as it stands. Durations are strings such as "5m"; what is not set is null."""

    id: str
    type: str
    queue: str
    status: Status
    payload: Any
    priority: int
    result: Any
    error: JobError | None
    """Of the last attempt."""
    progress: Progress | None
    attempts: int
    """Tries that used up a retry, and the one under way."""
    max_retries: int | None
    retry_strategy: Strategy | None
    retry_delay: str | None
    max_retry_delay: str | None
    retry_jitter: float | None
    timeout: str | None
    created_at: AwareDatetime | None
    scheduled_at: AwareDatetime | None
    expires_at: AwareDatetime | None
    ready_at: AwareDatetime | None
    """When it last became pending. Not known yet in a 202."""
    due_at: AwareDatetime | None
    """When a scheduled or retrying job becomes pending."""
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    worker: str | None
    cancel_requested: bool
    idempotency_key: str | None
    unique_key: str | None
    tags: list[str]
    metadata: dict[str, str]


class FullJob(Job):
    """A job with its attempts, oldest first."""

    history: list[Attempt]


class JobList(_Document):
    items: list[Job]
    next_cursor: str | None


class JobEvent(_Document):
    """Something that happened to a job. What does not apply to its kind is null."""

    kind: EventKind
    job_id: str
    queue: str
    type: str | None
    worker: str | None
    at: AwareDatetime
    attempt: int | None
    wait_seconds: float | None
    """started: from pending to claimed."""
    run_seconds: float | None
    """End of an attempt: how long the handler ran."""
    error: JobError | None
    progress: Progress | None


class FieldProblem(_Document):
    field: str
    """Its path in the input, such as ``jobs.3.priority``."""
    reason: str


class Problem(_Document):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem]
    retry_after: int | None = None
    """Seconds to wait, as in the header Retry-After. With 429 and 503."""


class BatchItem(_Document):
    status: int
    """What the job would have been answered with on its own."""
    job: Job | None = None
    error: Problem | None = None


class BatchAnswer(_Document):
    items: list[BatchItem]


class Queue(_Document):
    """A queue. Durations are strings such as "5m"."""

    name: str
    paused: bool
    max_workers: int
    max_length: int
    rate_limit: float
    priority: int
    weight: int
    max_retries: int
    retry_strategy: Strategy | None
    retry_delay: str
    max_retry_delay: str
    retry_jitter: float
    timeout: str
    dead_letter: bool
    lease: str
    retention_success: str
    retention_other: str
    created_at: AwareDatetime | None
    updated_at: AwareDatetime | None


class QueueList(_Document):
    items: list[Queue]
    next_cursor: str | None


class QueueStats(_Document):
    name: str
    pending_jobs: int
    running_jobs: int
    completed_jobs: int
    """Ended in success, since the queue was made."""
    failed_jobs: int
    """Ended failed or dead, since the queue was made."""
    workers: int
    """Live workers that serve it."""
    throughput_per_min: float
    """Jobs that ended within the last minute."""
    scheduled: int
    retrying: int
    dead: int
    oldest_pending_age_seconds: float
    """0 when no job is pending."""


class DeadRetried(_Document):
    retried: int
    """Dead letters that are pending again."""
    complete: bool
    """False when there may be more: repeat the request."""


class DeadPurged(_Document):
    purged: int
    """Dead letters that were forgotten."""
    complete: bool
    """False when there may be more: repeat the request."""


class Worker(_Document):
    id: str
    hostname: str
    pid: int
    queues: list[str]
    types: list[str]
    """The handlers it knows."""
    concurrency: int
    running: int
    draining: bool
    version: str
    started_at: AwareDatetime | None
    seen_at: AwareDatetime | None


class WorkerList(_Document):
    items: list[Worker]
    next_cursor: str | None


class Health(_Document):
    status: Literal["ok"]


class Readiness(_Document):
    status: Literal["ready", "not ready"]
    missing: list[str]
