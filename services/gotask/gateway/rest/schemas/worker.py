"""Workers."""

from pydantic import AwareDatetime

from gotask.gateway.rest.schemas.document import Document


class JobRun(Document):
    """A job that a worker runs."""

    job_id: str
    """Which job."""
    type: str
    """Its type."""
    queue: str
    """Its queue."""
    started_at: AwareDatetime | None
    """When it was claimed."""


class Worker(Document):
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


class WorkerList(Document):
    """The workers."""

    items: list[Worker]
    """By id."""
    next_cursor: str | None
    """Always null: they come on one page."""
