"""Events."""

from typing import Literal

from pydantic import AwareDatetime

from gotask.gateway.rest.schemas.document import Document
from gotask.gateway.rest.schemas.job import JobError, Progress

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


class JobEvent(Document):
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
