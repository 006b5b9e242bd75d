"""A schedule, as REST shows it."""

from typing import Any

import orjson

from gotask import v1
from gotask.gateway.rest.job_document import retry_document
from gotask.gateway.rest.times import duration, moment
from gotask.gateway.schedules import ScheduleHistory
from gotask.jobs.schedule_request import MISSED_NAMES, OVERLAP_NAMES
from gotask.jobs.schedules import coming_fires
from gotask.jobs.states import name_of

_COMING = 5
_KINDS = {
    v1.FIRE_KIND_TICK: "tick",
    v1.FIRE_KIND_MANUAL: "manual",
    v1.FIRE_KIND_MISSED: "missed",
    v1.FIRE_KIND_OVERLAPPED: "overlapped",
}


def schedule_document(schedule: v1.Schedule) -> dict[str, Any]:
    """All but the history. Fields of the job that are null are its queue's to decide."""
    job = schedule.job
    coming = [moment(at_us) for at_us in coming_fires(schedule, _COMING)]
    return {
        "id": schedule.id,
        "name": schedule.name,
        "job_type": job.type,
        "queue": job.queue,
        "cron_expr": schedule.cron_expr,
        "timezone": schedule.timezone,
        "payload": orjson.Fragment(job.payload) if job.payload else None,
        "paused": schedule.paused,
        "next_fire_at": coming[0] if coming else None,
        "next_fires": coming,
        "missed": MISSED_NAMES[schedule.missed],
        "overlap": OVERLAP_NAMES[schedule.overlap],
        "starts_at": moment(schedule.starts_at_us),
        "ends_at": moment(schedule.ends_at_us),
        "jitter": duration(schedule.jitter_us),
        "ttl": duration(schedule.ttl_us) if schedule.ttl_us else None,
        "priority": job.priority,
        **retry_document(job),
        "timeout": duration(job.timeout_us) if job.timeout_us else None,
        "unique_key": job.unique_key or None,
        "tags": list(job.tags),
        "metadata": dict(job.metadata),
        "created_at": moment(schedule.created_at_us),
        "updated_at": moment(schedule.updated_at_us),
    }


def full_schedule_document(history: ScheduleHistory) -> dict[str, Any]:
    """With the history, newest fire first."""
    schedule, states = history
    return schedule_document(schedule) | {"fires": [_fire(fire, states.get(fire.job_id)) for fire in schedule.fires]}


def _fire(fire: v1.Fire, state: v1.JobState.ValueType | None) -> dict[str, Any]:
    return {
        "kind": _KINDS[fire.kind],
        "at": moment(fire.at_us),
        "since": moment(fire.since_us),
        "job_id": fire.job_id or None,
        "status": name_of(state) if state else None,
        "refusal": fire.refusal if fire.refusal and state is None else None,
    }
