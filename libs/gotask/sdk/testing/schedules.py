"""Schedules in a sandbox: they fire as its clock comes to their ticks."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message

from gotask import v1
from gotask.jobs.fires import fire_with, last_job
from gotask.jobs.schedule_commands import created, paused, redefined, resumed, run_now
from gotask.jobs.schedule_visit import visit
from gotask.jobs.schedules import job_of_fire
from gotask.jobs.states import TERMINAL
from gotask.sdk.errors import AlreadyExists, NotFound
from gotask.sdk.testing.engine import Engine
from gotask.storage.contract import ScheduleChange, ScheduleStatus

_PAGE = 1_000
_MISSED_AFTER_US = 60_000_000


class Schedules:
    """Fires them, and answers the verbs about them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._storage = engine.storage
        self.handlers: Mapping[str, Callable[[Any], Awaitable[Message]]] = {
            "CreateSchedule": self._create,
            "ListSchedules": self._list,
            "GetSchedule": lambda request: self._find(request.id),
            "UpdateSchedule": lambda wanted: self._change(
                wanted.id, lambda stored: redefined(stored, wanted, engine.now_us)
            ),
            "DeleteSchedule": self._delete,
            "PauseSchedule": lambda request: self._change(request.id, lambda stored: paused(stored, engine.now_us)),
            "ResumeSchedule": lambda request: self._change(request.id, lambda stored: resumed(stored, engine.now_us)),
            "RunSchedule": self._run,
        }

    async def next_fire(self) -> int | None:
        """When the next tick comes."""
        return await self._storage.next_fire()

    async def fire_due(self) -> None:
        """Submits the jobs of the ticks that have come."""
        now_us = self._engine.now_us
        for schedule in await self._storage.take_schedules(now_us, now_us, _PAGE):
            overlapping = await self._overlapping(schedule)
            decided = visit(schedule, now_us, overlapping=overlapping, missed_after_us=_MISSED_AFTER_US)
            await self._fire(decided.schedule, decided.fires)

    async def _overlapping(self, schedule: v1.Schedule) -> bool:
        (job,) = await self._storage.get_jobs([last_job(schedule)])
        return job is not None and job.state not in TERMINAL

    async def _fire(self, schedule: v1.Schedule, fires: Sequence[v1.Fire]) -> None:
        now_us = self._engine.now_us
        await self._storage.change_schedules([ScheduleChange(schedule, fires)], now_us)
        outcomes = await self._engine.submit([job_of_fire(schedule, fire, now_us) for fire in fires])
        for fire, outcome in zip(fires, outcomes, strict=True):
            if outcome.status.code:
                await self._give_up(schedule.id, fire, outcome.status.message)

    async def _give_up(self, schedule_id: str, fire: v1.Fire, reason: str) -> None:
        schedule = await self._find(schedule_id)
        if (kept := fire_with(schedule, fire.job_id)) is not None:
            kept.refusal = reason
        await self._storage.change_schedules([ScheduleChange(schedule, closes=[fire.job_id])], self._engine.now_us)

    async def _create(self, wanted: v1.Schedule) -> v1.Schedule:
        schedule = created(wanted, self._engine.now_us)
        if not await self._storage.create_schedule(schedule):
            raise _name_taken(schedule.name)
        return schedule

    async def _list(self, _: Empty) -> v1.ScheduleList:
        found = v1.ScheduleList()
        while piece := await self._storage.list_schedules(found.schedules[-1].name if found.schedules else "", _PAGE):
            found.schedules.extend(piece)
        return found

    async def _find(self, schedule_id: str) -> v1.Schedule:
        for schedule in await self._storage.get_schedules([schedule_id]):
            return schedule
        raise _no_schedule(schedule_id)

    async def _change(self, schedule_id: str, make: Callable[[v1.Schedule], v1.Schedule]) -> v1.Schedule:
        schedule = make(await self._find(schedule_id))
        (status,) = await self._storage.change_schedules([ScheduleChange(schedule)], self._engine.now_us)
        if status is ScheduleStatus.NAME_TAKEN:
            raise _name_taken(schedule.name)
        return schedule

    async def _delete(self, request: v1.ScheduleId) -> Empty:
        if not await self._storage.delete_schedule(request.id):
            raise _no_schedule(request.id)
        return Empty()

    async def _run(self, request: v1.ScheduleId) -> v1.Schedule:
        job_id = self._engine.ids.make(self._engine.now_us)
        schedule, fire = run_now(await self._find(request.id), job_id, self._engine.now_us)
        await self._fire(schedule, [fire])
        return await self._find(request.id)


def _no_schedule(schedule_id: str) -> NotFound:
    return NotFound(f"there is no schedule {schedule_id}", "id")


def _name_taken(name: str) -> AlreadyExists:
    return AlreadyExists(f"there is another schedule {name!r}", "name")
