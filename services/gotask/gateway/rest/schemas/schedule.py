"""Schedules."""

from typing import Any, Literal

from pydantic import AwareDatetime

from gotask.gateway.rest.schemas.document import Document
from gotask.gateway.rest.schemas.job import Status, Strategy


class Fire(Document):
    """One fire, or ticks without one."""

    kind: Literal["tick", "manual", "missed", "overlapped"]
    """tick and manual have a job; missed and overlapped are ticks without one."""
    at: AwareDatetime | None
    """The tick; of several without a job, the last."""
    since: AwareDatetime | None
    """Of several ticks without a job, the first."""
    job_id: str | None
    """The job that was submitted."""
    status: Status | None
    """Of the job; null while it is not stored yet, and once it is forgotten."""
    refusal: str | None
    """Why the job was not stored when that was last tried."""


class Schedule(Document):
    """A schedule. Durations are strings such as "5m"; fields of its jobs that are null are the queue's to decide."""

    id: str
    """A UUIDv7."""
    name: str
    """Unlike that of any other schedule."""
    job_type: str
    """The name of its jobs' handler."""
    queue: str
    """Where its jobs wait."""
    cron_expr: str
    """When it fires."""
    timezone: str
    """The IANA name of the time zone in which cron_expr is meant."""
    payload: Any
    """What the handler is given."""
    paused: bool
    """Whether it does not fire until it is resumed."""
    next_fire_at: AwareDatetime | None
    """null while it is paused, and when it never fires again."""
    next_fires: list[AwareDatetime]
    """The next five at most, jitter included."""
    missed: Literal["skip", "one", "all"]
    """What becomes of ticks that nobody was there for: none fires, one does for all, or each does."""
    overlap: Literal["allow", "skip"]
    """Whether a tick fires while the last fire's job is not finished."""
    starts_at: AwareDatetime | None
    """No tick before this."""
    ends_at: AwareDatetime | None
    """No tick after this."""
    jitter: str
    """Each job waits up to this long after its tick."""
    ttl: str | None
    """Each job does not start later than this long after its fire."""
    priority: int
    """Of its jobs: 0 to 255, higher first."""
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
    unique_key: str | None
    """No two unfinished jobs have this key."""
    tags: list[str]
    """Of its jobs, for filtering."""
    metadata: dict[str, str]
    """Handed to the handler, and told with the jobs' events."""
    created_at: AwareDatetime | None
    """When it was created."""
    updated_at: AwareDatetime | None
    """When its settings last changed."""


class FullSchedule(Schedule):
    """A schedule with its last 20 fires, newest first."""

    fires: list[Fire]
    """The last 20, newest first."""


class ScheduleList(Document):
    """A page of schedules."""

    items: list[Schedule]
    """By name, without their fires."""
    next_cursor: str | None
    """The parameter cursor of the next page; null on the last."""
