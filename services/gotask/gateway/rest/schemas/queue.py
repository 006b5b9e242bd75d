"""Queues and their dead letters."""

from pydantic import AwareDatetime

from gotask.gateway.rest.schemas.document import Document
from gotask.gateway.rest.schemas.job import Strategy


class Queue(Document):
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


class QueueList(Document):
    """All queues."""

    items: list[Queue]
    """By name."""
    next_cursor: str | None
    """Always null: they come on one page."""


class QueueStats(Document):
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


class QueuePurged(Document):
    """What a purge of a queue did."""

    cancelled: int
    """Jobs that waited, and are cancelled."""
    complete: bool
    """False when there may be more: repeat the request."""


class DeadRetried(Document):
    """What a retry of dead letters did."""

    retried: int
    """Dead letters that are pending again."""
    complete: bool
    """False when there may be more: repeat the request."""


class DeadPurged(Document):
    """What a purge of dead letters did."""

    purged: int
    """Dead letters that were forgotten."""
    complete: bool
    """False when there may be more: repeat the request."""
