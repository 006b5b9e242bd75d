"""What a schedule means: when it ticks, and which job each of its fires submits."""

import hashlib
import re

from gotask import v1
from gotask.jobs import limits, zones
from gotask.jobs.durations import MAX_US
from gotask.jobs.ids import derived_id, is_id
from gotask.jobs.ticks import NextTick, check_expression, next_tick_of
from gotask.jobs.validation import InvalidJob, check_spec

NAME = re.compile(r"[^\x00-\x1f\x7f]{1,128}")
TIMEZONE_LENGTH = 64
MAX_JITTER_US = 24 * 3600 * 1_000_000


def ticks_of(schedule: v1.Schedule) -> NextTick:
    """Its ticks, between start and end. Those of ``@every`` count from the start, or else from the creation."""
    counts_from_us = schedule.starts_at_us or schedule.created_at_us
    next_tick = next_tick_of(schedule.cron_expr, schedule.timezone, counts_from_us)
    starts_at_us, ends_at_us = schedule.starts_at_us, schedule.ends_at_us

    def within(after_us: int) -> int | None:
        tick_us = next_tick(max(after_us, starts_at_us - 1))
        return None if tick_us is None or (ends_at_us and tick_us > ends_at_us) else tick_us

    return within


def next_fire_after(schedule: v1.Schedule, after_us: int) -> int:
    """The first tick after *after_us* that has not been decided yet; 0 when there is none."""
    return ticks_of(schedule)(max(after_us, schedule.decided_until_us)) or 0


def coming_fires(schedule: v1.Schedule, count: int) -> list[int]:
    """When the next jobs will be due, each with its jitter; none while it is paused."""
    ticks: list[int] = []
    tick_us: int | None = 0 if schedule.paused else schedule.next_fire_at_us
    next_tick = ticks_of(schedule)
    while tick_us and len(ticks) < count:
        ticks.append(tick_us)
        tick_us = next_tick(tick_us)
    return [tick_us + jitter_of(schedule, tick_us) for tick_us in ticks]


def jitter_of(schedule: v1.Schedule, tick_us: int) -> int:
    """How long the job of a tick waits: from 0 to ``jitter_us``, the same whoever asks."""
    if not schedule.jitter_us:
        return 0
    digest = hashlib.sha256(f"jitter:{schedule.id}:{tick_us}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % (schedule.jitter_us + 1)


def fire_of_tick(schedule: v1.Schedule, tick_us: int) -> v1.Fire:
    """The fire of a tick; its job's id follows from schedule and tick."""
    job_id = derived_id(tick_us, f"fire:{schedule.id}:{tick_us}")
    return v1.Fire(at_us=tick_us, job_id=job_id, kind=v1.FIRE_KIND_TICK)


def job_of_fire(schedule: v1.Schedule, fire: v1.Fire, now_us: int) -> v1.JobSpec:
    """The job to submit. It shows the fire's moment as the time it was scheduled for."""
    spec = v1.JobSpec()
    spec.CopyFrom(schedule.job)
    spec.id = fire.job_id
    spec.schedule_id = schedule.id
    spec.created_at_us = now_us
    spec.scheduled_at_us = fire.at_us
    if fire.kind == v1.FIRE_KIND_TICK:
        spec.scheduled_at_us += jitter_of(schedule, fire.at_us)
    if schedule.ttl_us:
        spec.expires_at_us = max(spec.scheduled_at_us, now_us) + schedule.ttl_us
    return spec


def check_schedule(schedule: v1.Schedule, max_payload_bytes: int = limits.MAX_PAYLOAD_BYTES) -> None:
    """InvalidJob names the first field, as users write it, that is out of its bounds."""
    if not is_id(schedule.id):
        raise InvalidJob("id", "must be a UUIDv7 in lower-case text form")
    if not NAME.fullmatch(schedule.name):
        raise InvalidJob("name", "use 1 to 128 characters, none of them a control character")
    _check_times(schedule)
    _check_job(schedule, max_payload_bytes)
    if not next_fire_after(schedule, schedule.created_at_us):
        raise InvalidJob("ends_at" if schedule.ends_at_us else "cron_expr", "the schedule would never fire")


def _check_times(schedule: v1.Schedule) -> None:
    try:
        check_expression(schedule.cron_expr)
    except ValueError as error:
        raise InvalidJob("cron_expr", str(error)) from None
    try:
        check_timezone(schedule.timezone)
    except ValueError as error:
        raise InvalidJob("timezone", str(error)) from None
    if schedule.ends_at_us and schedule.ends_at_us < schedule.starts_at_us:
        raise InvalidJob("ends_at", "lies before starts_at")
    if schedule.jitter_us > MAX_JITTER_US:
        raise InvalidJob("jitter", "is longer than 24h")
    if schedule.ttl_us > MAX_US:
        raise InvalidJob("ttl", "is longer than ten years")
    if schedule.missed not in v1.MissedPolicy.values():
        raise InvalidJob("missed", "use skip, one or all")
    if schedule.overlap not in v1.OverlapPolicy.values():
        raise InvalidJob("overlap", "use allow or skip")


def check_timezone(timezone: str) -> None:
    """ValueError when there is no time zone of that name."""
    if len(timezone) > TIMEZONE_LENGTH:
        raise ValueError(f"is longer than {TIMEZONE_LENGTH} characters")
    zones.local_clock(timezone)


def _check_job(schedule: v1.Schedule, max_payload_bytes: int) -> None:
    if schedule.job.idempotency_key:
        raise InvalidJob("idempotency_key", "every job of the schedule would be taken for the first one")
    try:
        check_spec(job_of_fire(schedule, fire_of_tick(schedule, 0), 0), max_payload_bytes)
    except InvalidJob as error:
        raise InvalidJob("job_type" if error.field == "type" else error.field, error.reason) from None
