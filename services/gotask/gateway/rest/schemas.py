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
    """Why an attempt failed."""

    type: str
    """The exception's class, or Timeout, LeaseLost, UnknownType."""
    message: str
    """The exception's own text."""
    traceback: str | None
    """Its last lines, if there is one."""


class Progress(_Document):
    """How far a job is, as its handler last told."""

    percent: float
    """0 to 100."""
    message: str | None
    """What the handler is doing."""
    updated_at: AwareDatetime | None
    """When it told."""


class Attempt(_Document):
    """One run of a job."""

    attempt: int
    """Its number; the first is 1."""
    worker: str | None
    """Who ran it."""
    started_at: AwareDatetime | None
    """When it was claimed."""
    finished_at: AwareDatetime | None
    """When it ended."""
    outcome: Literal["unspecified", "success", "failure", "cancelled", "returned", "lease_lost"]
    """How it ended; ``returned``: handed back by a stopping worker, which does not use up a retry."""
    error: JobError | None
    """Why it failed."""


class Job(_Document):
    """A job as it stands. Durations are strings such as "5m"; what is not set is null."""

    id: str
    """A UUIDv7."""
    type: str
    """The name of its handler."""
    queue: str
    """Where it waits."""
    status: Status
    """Where it stands. It does not leave success, failed, dead, cancelled and expired by itself."""
    payload: Any
    """What its handler is given."""
    priority: int
    """0 to 255, higher first."""
    result: Any
    """What its handler returned; null until it has ended in success."""
    error: JobError | None
    """Of the last attempt."""
    progress: Progress | None
    """How far it is; null when its handler has told nothing."""
    attempts: int
    """Tries that used up a retry, and the one under way."""
    max_retries: int | None
    """Attempts after the first."""
    retry_strategy: Strategy | None
    """How the delay grows from retry to retry."""
    retry_delay: str | None
    """The delay that the strategy begins with."""
    max_retry_delay: str | None
    """No delay is longer than this."""
    retry_jitter: float | None
    """By which share of itself a delay varies, either way."""
    timeout: str | None
    """One attempt's limit."""
    created_at: AwareDatetime | None
    """When it was submitted."""
    scheduled_at: AwareDatetime | None
    """It runs no earlier than this."""
    expires_at: AwareDatetime | None
    """It does not start after this."""
    ready_at: AwareDatetime | None
    """When it last became pending. Not known yet in a 202."""
    due_at: AwareDatetime | None
    """When a scheduled or retrying job becomes pending."""
    started_at: AwareDatetime | None
    """When its newest attempt was claimed."""
    finished_at: AwareDatetime | None
    """When it ended."""
    worker: str | None
    """Who runs it, or ran it last."""
    cancel_requested: bool
    """Whether its worker was told to end it."""
    idempotency_key: str | None
    """A second submission with this key is answered with this job."""
    unique_key: str | None
    """No other unfinished job has this key."""
    tags: list[str]
    """For filtering."""
    metadata: dict[str, str]
    """Handed to its handler, and told with its events."""


class FullJob(Job):
    """A job with its attempts, oldest first."""

    history: list[Attempt]
    """Its attempts, oldest first."""


class JobList(_Document):
    """A page of jobs."""

    items: list[Job]
    """The jobs, without their history."""
    next_cursor: str | None
    """The parameter cursor of the next page; null on the last."""


class JobEvent(_Document):
    """Something that happened to a job. What does not apply to its kind is null."""

    kind: EventKind
    """What happened."""
    job_id: str
    """To which job."""
    queue: str
    """The job's queue."""
    type: str | None
    """The job's type; null for started, released and deleted."""
    worker: str | None
    """Whose attempt it concerns."""
    at: AwareDatetime
    """When."""
    attempt: int | None
    """Which attempt."""
    wait_seconds: float | None
    """started: from pending to claimed."""
    run_seconds: float | None
    """End of an attempt: how long the handler ran."""
    error: JobError | None
    """Why the attempt failed."""
    progress: Progress | None
    """How far the job is."""


class FieldProblem(_Document):
    """What is wrong with one field."""

    field: str
    """Its path in the input, such as ``jobs.3.priority``."""
    reason: str
    """What is wrong with it."""


class Problem(_Document):
    """An error (RFC 9457)."""

    type: str
    """about:blank: the status tells the kind of problem."""
    title: str
    """The status in words."""
    status: int
    """The HTTP status."""
    detail: str
    """What was wrong, for people."""
    errors: list[FieldProblem]
    """The fields that were wrong, twenty at most; empty when it was no field's fault."""
    retry_after: int | None = None
    """Seconds to wait, as in the header Retry-After. With 429 and 503."""


class BatchItem(_Document):
    """What became of one job of a batch."""

    status: int
    """What the job would have been answered with on its own."""
    job: Job | None = None
    """The job, where it was taken."""
    error: Problem | None = None
    """Why it was not taken."""


class BatchAnswer(_Document):
    """What became of a batch."""

    items: list[BatchItem]
    """One for each job, in the order of the request."""


class Queue(_Document):
    """A queue. Durations are strings such as "5m"."""

    name: str
    """Its name."""
    paused: bool
    """Whether its jobs wait until it is resumed."""
    max_workers: int
    """Jobs running at once over the whole fleet; 0 is no limit."""
    max_length: int
    """Jobs waiting; 0 is no limit."""
    rate_limit: float
    """Jobs started per second over the whole fleet; 0 is no limit."""
    priority: int
    """Strict between queues: a worker that serves several takes from the highest first."""
    weight: int
    """Share between queues of equal priority."""
    max_retries: int
    """Attempts after the first, for jobs that say nothing else; and so on for the four after it."""
    retry_strategy: Strategy | None
    """How the delay grows from retry to retry."""
    retry_delay: str
    """The delay that the strategy begins with."""
    max_retry_delay: str
    """No delay is longer than this."""
    retry_jitter: float
    """By which share of itself a delay varies, either way."""
    timeout: str
    """One attempt's limit, for jobs that say nothing else."""
    dead_letter: bool
    """Whether a job with no attempt left is kept as a dead letter; otherwise it ends failed."""
    lease: str
    """How long a silent worker keeps a job."""
    retention_success: str
    """How long jobs that ended in success are kept."""
    retention_other: str
    """How long jobs that ended otherwise are kept."""
    created_at: AwareDatetime | None
    """When it was created."""
    updated_at: AwareDatetime | None
    """When its settings last changed."""


class QueueList(_Document):
    """All queues."""

    items: list[Queue]
    """By name."""
    next_cursor: str | None
    """Always null: they come on one page."""


class QueueStats(_Document):
    """A queue's figures."""

    name: str
    """The queue's."""
    pending_jobs: int
    """Jobs that wait for a worker."""
    running_jobs: int
    """Jobs that run."""
    completed_jobs: int
    """Ended in success, since the queue was made."""
    failed_jobs: int
    """Ended failed or dead, since the queue was made."""
    workers: int
    """Live workers that serve it."""
    throughput_per_min: float
    """Jobs that ended within the last minute."""
    scheduled: int
    """Jobs that wait for their time."""
    retrying: int
    """Jobs that wait for their next attempt."""
    dead: int
    """Dead letters."""
    oldest_pending_age_seconds: float
    """0 when no job is pending."""


class DeadRetried(_Document):
    """What a retry of dead letters did."""

    retried: int
    """Dead letters that are pending again."""
    complete: bool
    """False when there may be more: repeat the request."""


class DeadPurged(_Document):
    """What a purge of dead letters did."""

    purged: int
    """Dead letters that were forgotten."""
    complete: bool
    """False when there may be more: repeat the request."""


class Fire(_Document):
    kind: Literal["tick", "manual", "missed", "overlapped"]
    """tick and manual have a job; missed and overlapped are ticks without one."""
    at: AwareDatetime | None
    """The tick; of several without a job, the last."""
    since: AwareDatetime | None
    """Of several ticks without a job, the first."""
    job_id: str | None
    status: Status | None
    """Of the job; null while it is not stored yet, and once it is forgotten."""
    refusal: str | None
    """Why the job was not stored when that was last tried."""


class Schedule(_Document):
    """A schedule. Durations are strings such as "5m"; fields of its jobs that are null are the queue's to decide."""

    id: str
    name: str
    job_type: str
    queue: str
    cron_expr: str
    timezone: str
    payload: Any
    paused: bool
    next_fire_at: AwareDatetime | None
    """null while it is paused, and when it never fires again."""
    next_fires: list[AwareDatetime]
    """The next five at most, jitter included."""
    missed: Literal["skip", "one", "all"]
    overlap: Literal["allow", "skip"]
    starts_at: AwareDatetime | None
    ends_at: AwareDatetime | None
    jitter: str
    ttl: str | None
    priority: int
    max_retries: int | None
    retry_strategy: Strategy | None
    retry_delay: str | None
    max_retry_delay: str | None
    retry_jitter: float | None
    timeout: str | None
    unique_key: str | None
    tags: list[str]
    metadata: dict[str, str]
    created_at: AwareDatetime | None
    updated_at: AwareDatetime | None


class FullSchedule(Schedule):
    """A schedule with its last 20 fires, newest first."""

    fires: list[Fire]


class ScheduleList(_Document):
    items: list[Schedule]
    next_cursor: str | None


class JobRun(_Document):
    """A job that a worker runs."""

    job_id: str
    """Which job."""
    type: str
    """Its type."""
    queue: str
    """Its queue."""
    started_at: AwareDatetime | None
    """When it was claimed."""


class Worker(_Document):
    """A worker, as its last heartbeat told."""

    id: str
    """Its id."""
    hostname: str
    """The machine it runs on."""
    pid: int
    """Its process there."""
    queues: list[str]
    """The queues it serves."""
    types: list[str]
    """The handlers it knows."""
    concurrency: int
    """Jobs it runs at once."""
    running: int
    """Jobs it runs now."""
    runs: list[JobRun]
    """The oldest of them, twenty at most."""
    draining: bool
    """Whether it finishes what it has and takes nothing more."""
    version: str
    """Of its software."""
    started_at: AwareDatetime | None
    """When it started."""
    seen_at: AwareDatetime | None
    """When it was last heard of."""


class WorkerList(_Document):
    """The workers."""

    items: list[Worker]
    """By id."""
    next_cursor: str | None
    """Always null: they come on one page."""


class Health(_Document):
    """That the process lives."""

    status: Literal["ok"]
    """Always ok."""


class Readiness(_Document):
    """Whether it can do its work."""

    status: Literal["ready", "not ready"]
    """ready, or not."""
    missing: list[str]
    """What it lacks."""
