"""What can be asked of schedules, whatever the protocol. Refusals are CommandErrors.

A caller who is limited to some queues is refused for schedules whose jobs go to others, and is not shown them.
"""

from typing import NamedTuple

from gotask import v1
from gotask.bus.bus import Bus
from gotask.bus.errors import Code, CommandError
from gotask.gateway.access.audit import Audit
from gotask.gateway.access.caller import Caller
from gotask.jobs.ids import is_id, new_id
from gotask.storage.contract import Storage

_PIECE = 500


class ScheduleHistory(NamedTuple):
    """A schedule, and how the jobs of its last fires stand, by job id."""

    schedule: v1.Schedule
    states: dict[str, v1.JobState.ValueType]


class Schedules:
    """Finds and commands schedules; NOT_FOUND for those that do not exist. Reading may raise StorageUnavailable."""

    def __init__(self, bus: Bus, storage: Storage, audit: Audit, command_timeout_s: float) -> None:
        self._bus = bus
        self._storage = storage
        self._audit = audit
        self._command_timeout_s = command_timeout_s

    async def create(self, caller: Caller, schedule: v1.Schedule) -> v1.Schedule:
        """ALREADY_EXISTS when its name is taken."""
        with self._audit.record(caller, "create_schedule", schedule.name):
            caller.check_queue(schedule.job.queue)
            return await self._bus.command("create_schedule", schedule, v1.Schedule, self._command_timeout_s)

    async def replace(self, caller: Caller, schedule: v1.Schedule) -> v1.Schedule:
        """Everything but its history and whether it is paused."""
        with self._audit.record(caller, "update_schedule", schedule.id):
            await self.get(caller, schedule.id)
            caller.check_queue(schedule.job.queue)
            return await self._bus.command("update_schedule", schedule, v1.Schedule, self._command_timeout_s)

    async def delete(self, caller: Caller, schedule_id: str) -> None:
        with self._audit.record(caller, "delete_schedule", schedule_id):
            await self.get(caller, schedule_id)
            request = v1.ScheduleId(id=schedule_id)
            await self._bus.command("delete_schedule", request, v1.ScheduleId, self._command_timeout_s)

    async def pause(self, caller: Caller, schedule_id: str) -> v1.Schedule:
        return await self._command(caller, "pause_schedule", v1.ScheduleId(id=schedule_id))

    async def resume(self, caller: Caller, schedule_id: str) -> v1.Schedule:
        return await self._command(caller, "resume_schedule", v1.ScheduleId(id=schedule_id))

    async def run(self, caller: Caller, schedule_id: str) -> v1.Schedule:
        """With the new fire, whose job is on its way, as the newest."""
        return await self._command(caller, "run_schedule", v1.RunSchedule(id=schedule_id, job_id=new_id()))

    async def _command(self, caller: Caller, verb: str, request: v1.ScheduleId | v1.RunSchedule) -> v1.Schedule:
        with self._audit.record(caller, verb, request.id):
            await self.get(caller, request.id)
            return await self._bus.command(verb, request, v1.Schedule, self._command_timeout_s)

    async def get(self, caller: Caller, schedule_id: str) -> v1.Schedule:
        for schedule in await self._storage.get_schedules([schedule_id]) if is_id(schedule_id) else ():
            caller.check_queue(schedule.job.queue)
            return schedule
        raise CommandError(Code.NOT_FOUND, f"there is no schedule {schedule_id}", "id")

    async def history(self, schedule: v1.Schedule) -> ScheduleHistory:
        """How the jobs of its fires stand; those that are not stored yet, or no more, are left out."""
        ids = [fire.job_id for fire in schedule.fires if fire.job_id]
        jobs = await self._storage.get_jobs(ids) if ids else []
        return ScheduleHistory(schedule, {job.spec.id: job.state for job in jobs if job is not None})

    async def list_schedules(self, caller: Caller, after: str, limit: int) -> list[v1.Schedule]:
        """The next ones by name, after the name *after*."""
        found: list[v1.Schedule] = []
        while len(found) < limit:
            piece = await self._storage.list_schedules(after, _PIECE)
            found += [schedule for schedule in piece if caller.may_use(schedule.job.queue)]
            if len(piece) < _PIECE:
                break
            after = piece[-1].name
        return found[:limit]
