"""The history of a schedule's fires: the last ones, and the ticks without one."""

from gotask import v1

KEPT = 20


def remember(schedule: v1.Schedule, *fires: v1.Fire) -> None:
    """Adds fires, oldest first, to its history. Ticks without a fire that follow each other become one entry."""
    kept = list(reversed(schedule.fires))
    for fire in fires:
        if fire.since_us and kept and kept[-1].kind == fire.kind:
            fire.since_us = kept.pop().since_us
        kept.append(fire)
    del schedule.fires[:]
    schedule.fires.extend(reversed(kept[-KEPT:]))


def fire_with(schedule: v1.Schedule, job_id: str) -> v1.Fire | None:
    """The fire that submitted a job, if it is still in the history."""
    return next((fire for fire in schedule.fires if fire.job_id == job_id), None)


def last_job(schedule: v1.Schedule) -> str:
    """The job of the last fire; empty before the first."""
    return next((fire.job_id for fire in schedule.fires if fire.job_id), "")
