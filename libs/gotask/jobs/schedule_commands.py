"""What commands make of a schedule: each returns the schedule that follows, and none changes the one it is given.

Every one is safe to repeat.
"""

from gotask import v1
from gotask.jobs.fires import remember
from gotask.jobs.schedules import next_fire_after

_DEFINITION = (
    "name",
    "cron_expr",
    "timezone",
    "missed",
    "overlap",
    "starts_at_us",
    "ends_at_us",
    "jitter_us",
    "ttl_us",
)
_TIMING = ("cron_expr", "timezone", "starts_at_us", "ends_at_us")


def created(wanted: v1.Schedule, now_us: int) -> v1.Schedule:
    """A new schedule with the definition of *wanted*, and nothing in its past."""
    schedule = v1.Schedule(id=wanted.id, created_at_us=now_us, decided_until_us=now_us)
    _define(schedule, wanted, now_us)
    schedule.next_fire_at_us = next_fire_after(schedule, now_us)
    return schedule


def redefined(stored: v1.Schedule, wanted: v1.Schedule, now_us: int) -> v1.Schedule:
    """*stored* with the definition of *wanted*.

    History and pause stay. When it ticks at other times than before, its next fire is the next of those from now on;
    otherwise a tick that has come and is not decided yet stays.
    """
    schedule = _copy(stored)
    _define(schedule, wanted, now_us)
    if any(getattr(stored, field) != getattr(schedule, field) for field in _TIMING):
        schedule.next_fire_at_us = next_fire_after(schedule, now_us)
    return schedule


def paused(stored: v1.Schedule, now_us: int) -> v1.Schedule:
    """It fires no more until it is resumed."""
    if stored.paused:
        return stored
    schedule = _copy(stored)
    schedule.paused = True
    schedule.updated_at_us = now_us
    return schedule


def resumed(stored: v1.Schedule, now_us: int) -> v1.Schedule:
    """It fires again. Ticks that came meanwhile were missed: with the policy skip they are let go here and now."""
    if not stored.paused:
        return stored
    schedule = _copy(stored)
    schedule.paused = False
    schedule.updated_at_us = now_us
    if schedule.missed == v1.MISSED_POLICY_SKIP and schedule.next_fire_at_us:
        schedule.next_fire_at_us = next_fire_after(schedule, now_us)
    return schedule


def run_now(stored: v1.Schedule, job_id: str, now_us: int) -> tuple[v1.Schedule, v1.Fire]:
    """It fires besides its ticks, whatever its policies say and whether it is paused or not."""
    schedule = _copy(stored)
    fire = v1.Fire(at_us=now_us, job_id=job_id, kind=v1.FIRE_KIND_MANUAL)
    remember(schedule, fire)
    return schedule, fire


def _define(schedule: v1.Schedule, wanted: v1.Schedule, now_us: int) -> None:
    for field in _DEFINITION:
        setattr(schedule, field, getattr(wanted, field))
    schedule.job.CopyFrom(wanted.job)
    schedule.missed = wanted.missed or v1.MISSED_POLICY_SKIP
    schedule.overlap = wanted.overlap or v1.OVERLAP_POLICY_ALLOW
    schedule.updated_at_us = now_us


def _copy(schedule: v1.Schedule) -> v1.Schedule:
    copy = v1.Schedule()
    copy.CopyFrom(schedule)
    return copy
