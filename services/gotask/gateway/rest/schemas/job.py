"""Jobs."""

from typing import Any, Literal

from pydantic import AwareDatetime

from gotask.gateway.rest.schemas.document import Document
from gotask.gateway.rest.schemas.problem import Problem

Status = Literal["scheduled", "pending", "running", "retrying", "success", "failed", "dead", "cancelled", "expired"]
Strategy = Literal["exponential", "linear", "fixed"]


class JobError(Document):
    """Why an attempt failed."""

    type: str
    """The exception's class, or Timeout, LeaseLost, UnknownType."""
    message: str
    """The exception's own text."""
    traceback: str | None
    """Its last lines, if there is one."""


class Progress(Document):
    """How far a job is, as its handler last told."""

    percent: float
    """0 to 100."""
    message: str | None
    """What the handler is doing."""
    updated_at: AwareDatetime | None
    """When it told."""


class Attempt(Document):
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


class Job(Document):
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


class JobList(Document):
    """A page of jobs."""

    items: list[Job]
    """The jobs, without their history."""
    next_cursor: str | None
    """The parameter cursor of the next page; null on the last."""


class BatchItem(Document):
    """What became of one job of a batch."""

    status: int
    """What the job would have been answered with on its own."""
    job: Job | None = None
    """The job, where it was taken."""
    error: Problem | None = None
    """Why it was not taken."""


class BatchAnswer(Document):
    """What became of a batch."""

    items: list[BatchItem]
    """One for each job, in the order of the request."""
