"""A schedule, as a client sees it. Names as in REST."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson

from gotask import v1
from gotask.jobs.request import STRATEGY_NAMES
from gotask.jobs.schedule_request import MISSED_NAMES, OVERLAP_NAMES
from gotask.jobs.schedules import coming_fires
from gotask.sdk.client.times import at, moment

_COMING = 5
_DECIMALS = 6
_KINDS = {kind: name.removeprefix("FIRE_KIND_").lower() for name, kind in v1.FireKind.items()}


@dataclass(frozen=True, slots=True)
class Fire:
    """*kind* is tick, or manual for a run by hand; or missed or overlapped: ticks that did not fire."""

    kind: str
    at: datetime
    """The tick; of several the last."""
    since: datetime | None
    """Without a fire: the first of the ticks."""
    job_id: str
    """Empty where there was no fire."""
    refusal: str
    """Why its job was not stored when that was last tried."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A job that recurs. What of the job is None is its queue's to decide."""

    id: str
    name: str
    job_type: str
    queue: str
    cron_expr: str
    timezone: str
    payload: Any
    paused: bool
    next_fires: Sequence[datetime]
    """When the next jobs are due, five at most; none while it is paused."""
    missed: str
    overlap: str
    starts_at: datetime | None
    ends_at: datetime | None
    jitter: timedelta
    ttl: timedelta | None
    priority: int
    max_retries: int | None
    retry_strategy: str | None
    retry_delay: timedelta | None
    max_retry_delay: timedelta | None
    retry_jitter: float | None
    timeout: timedelta | None
    unique_key: str | None
    tags: Sequence[str]
    metadata: Mapping[str, str]
    created_at: datetime | None
    updated_at: datetime | None
    fires: Sequence[Fire]
    """The last 20, newest first."""
    message: v1.Schedule = field(repr=False)
    """All of it, as it came."""

    @property
    def next_fire_at(self) -> datetime | None:
        """None while it is paused, and when it fires never again."""
        return self.next_fires[0] if self.next_fires else None

    @classmethod
    def of(cls, message: v1.Schedule) -> "Schedule":
        job, retry = message.job, message.job.retry
        return cls(
            id=message.id,
            name=message.name,
            job_type=job.type,
            queue=job.queue,
            cron_expr=message.cron_expr,
            timezone=message.timezone,
            payload=orjson.loads(job.payload) if job.payload else None,
            paused=message.paused,
            next_fires=tuple(at(at_us) for at_us in coming_fires(message, _COMING)),
            missed=MISSED_NAMES[message.missed],
            overlap=OVERLAP_NAMES[message.overlap],
            starts_at=moment(message.starts_at_us),
            ends_at=moment(message.ends_at_us),
            jitter=timedelta(microseconds=message.jitter_us),
            ttl=_span(message.ttl_us) if message.ttl_us else None,
            priority=job.priority,
            max_retries=retry.max_retries if retry.HasField("max_retries") else None,
            retry_strategy=STRATEGY_NAMES.get(retry.strategy),
            retry_delay=_span(retry.delay_us) if retry.HasField("delay_us") else None,
            max_retry_delay=_span(retry.max_delay_us) if retry.HasField("max_delay_us") else None,
            retry_jitter=round(retry.jitter, _DECIMALS) if retry.HasField("jitter") else None,
            timeout=_span(job.timeout_us) if job.timeout_us else None,
            unique_key=job.unique_key or None,
            tags=tuple(job.tags),
            metadata=dict(job.metadata),
            created_at=moment(message.created_at_us),
            updated_at=moment(message.updated_at_us),
            fires=tuple(map(_fire, message.fires)),
            message=message,
        )


def _span(micros: int) -> timedelta:
    return timedelta(microseconds=micros)


def _fire(fire: v1.Fire) -> Fire:
    return Fire(_KINDS[fire.kind], at(fire.at_us), moment(fire.since_us), fire.job_id, fire.refusal)
