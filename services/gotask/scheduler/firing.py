"""Firing: decides the ticks of schedules that have come, and submits the jobs of their fires."""

from collections.abc import Iterable

import structlog

from gotask import v1
from gotask.jobs.fires import last_job
from gotask.jobs.schedule_visit import Visit, visit
from gotask.jobs.schedules import job_of_fire
from gotask.jobs.states import TERMINAL
from gotask.scheduler.submitting import FiredJob, Submit
from gotask.service.clock import Clock
from gotask.storage.contract import ScheduleChange, ScheduleStatus, Storage

_log = structlog.get_logger("gotask.scheduler")

OFFER_AFTER_US = 5_000_000
"""When a fire is offered again that is still open: whoever decided it died, or its queue was full."""
_TAKEN_FOR_US = 2_000_000
_PAGE = 500


class Firing:
    """First the decision is stored, which opens fires; then their jobs are submitted, and storing one closes its fire.

    Whoever crashes in between leaves fires open, and any scheduler submits their jobs again; the storage lets each job
    in once. So there is one job per fire, wherever any number of schedulers die or fall asleep.
    """

    def __init__(self, storage: Storage, clock: Clock, submit: Submit, missed_after_us: int) -> None:
        self._storage = storage
        self._clock = clock
        self._submit = submit
        self._missed_after_us = missed_after_us

    async def fire_due(self) -> bool:
        """Fires a page of schedules whose next fire has come; whether there may be more of them."""
        now_us = self._clock.now_us()
        schedules = await self._storage.take_schedules(now_us, now_us + _TAKEN_FOR_US, _PAGE)
        if not schedules:
            return False
        overlapping = await self._overlapping(schedules)
        visits = [
            decided for schedule in schedules if (decided := self._visit(schedule, now_us, schedule.id in overlapping))
        ]
        changes = [ScheduleChange(decided.schedule, decided.fires) for decided in visits]
        statuses = await self._storage.change_schedules(changes, now_us + OFFER_AFTER_US)
        await self._submit(
            FiredJob(fire, job_of_fire(decided.schedule, fire, now_us))
            for decided, status in zip(visits, statuses, strict=True)
            if status is ScheduleStatus.CHANGED
            for fire in decided.fires
        )
        return len(schedules) == _PAGE

    def _visit(self, schedule: v1.Schedule, now_us: int, overlapping: bool) -> Visit | None:
        try:
            return visit(schedule, now_us, overlapping=overlapping, missed_after_us=self._missed_after_us)
        except Exception:
            # One that cannot be understood, perhaps after a change of time zone data, holds up no other.
            _log.exception("schedule not fired", schedule=schedule.name, id=schedule.id)
            return None

    async def _overlapping(self, schedules: Iterable[v1.Schedule]) -> set[str]:
        """The schedules that want to know and whose last fire's job is not terminal, or not stored yet."""
        jobs = {
            schedule.id: job_id
            for schedule in schedules
            if schedule.overlap == v1.OVERLAP_POLICY_SKIP and (job_id := last_job(schedule))
        }
        if not jobs:
            return set()
        # In this order: a job that is stored in between is found by one or the other.
        still_open = await self._storage.fires_open(list(jobs.values()))
        stored = await self._storage.get_jobs(list(jobs.values()))
        return {
            schedule_id
            for schedule_id, is_open, job in zip(jobs, still_open, stored, strict=True)
            if (is_open if job is None else job.state not in TERMINAL)
        }

    async def offer_open(self) -> bool:
        """Submits the jobs of fires that have been open for a while again; whether there may be more of them."""
        now_us = self._clock.now_us()
        taken = await self._storage.take_fires(now_us, OFFER_AFTER_US, _PAGE)
        if not taken:
            return False
        found = await self._storage.get_schedules(sorted({one.schedule_id for one in taken}))
        schedules = {schedule.id: schedule for schedule in found}
        await self._submit(
            FiredJob(one.fire, job_of_fire(schedules[one.schedule_id], one.fire, now_us))
            for one in taken
            if one.schedule_id in schedules
        )
        return len(taken) == _PAGE

    async def run_now(self, schedule: v1.Schedule, fire: v1.Fire) -> bool:
        """Stores *schedule* with a fire that was just added to it, and submits its job; False when it was changed
        meanwhile."""
        now_us = self._clock.now_us()
        change = ScheduleChange(schedule, [fire])
        if await self._storage.change_schedules([change], now_us + OFFER_AFTER_US) != [ScheduleStatus.CHANGED]:
            return False
        await self._submit([FiredJob(fire, job_of_fire(schedule, fire, now_us))])
        return True
