"""What can be asked of schedules, whatever the protocol. Refusals are CommandErrors."""

from typing import NamedTuple

from gotask import v1
from gotask.bus.bus import Bus
from gotask.bus.errors import Code, CommandError
from gotask.jobs.ids import is_id, new_id
from gotask.storage.contract import Storage


class ScheduleHistory(NamedTuple):
    """A schedule, and how the jobs of its last fires stand, by job id."""

    schedule: v1.Schedule
    states: dict[str, v1.JobState.ValueType]


class Schedules:
    """Finds and commands schedules; NOT_FOUND for those that do not exist. Reading may raise StorageUnavailable."""

    def __init__(self, bus: Bus, storage: Storage, command_timeout_s: float) -> None:
        self._bus = bus
        self._storage = storage
        self._command_timeout_s = command_timeout_s

    async def create(self, schedule: v1.Schedule) -> v1.Schedule:
        """ALREADY_EXISTS when its name is taken."""
        return await self._bus.command("create_schedule", schedule, v1.Schedule, self._command_timeout_s)

    async def replace(self, schedule: v1.Schedule) -> v1.Schedule:
        """Everything but its history and whether it is paused."""
        return await self._bus.command("update_schedule", schedule, v1.Schedule, self._command_timeout_s)

    async def delete(self, schedule_id: str) -> None:
        await self.get(schedule_id)
        request = v1.ScheduleId(id=schedule_id)
        await self._bus.command("delete_schedule", request, v1.ScheduleId, self._command_timeout_s)

    async def pause(self, schedule_id: str) -> v1.Schedule:
        request = v1.ScheduleId(id=schedule_id)
        return await self._bus.command("pause_schedule", request, v1.Schedule, self._command_timeout_s)

    async def resume(self, schedule_id: str) -> v1.Schedule:
        request = v1.ScheduleId(id=schedule_id)
        return await self._bus.command("resume_schedule", request, v1.Schedule, self._command_timeout_s)

    async def run(self, schedule_id: str) -> v1.Schedule:
        """With the new fire, whose job is on its way, as the newest."""
        request = v1.RunSchedule(id=schedule_id, job_id=new_id())
        return await self._bus.command("run_schedule", request, v1.Schedule, self._command_timeout_s)

    async def get(self, schedule_id: str) -> v1.Schedule:
        for schedule in await self._storage.get_schedules([schedule_id]) if is_id(schedule_id) else ():
            return schedule
        raise CommandError(Code.NOT_FOUND, f"there is no schedule {schedule_id}", "id")

    async def history(self, schedule: v1.Schedule) -> ScheduleHistory:
        """How the jobs of its fires stand; those that are not stored yet, or no more, are left out."""
        ids = [fire.job_id for fire in schedule.fires if fire.job_id]
        jobs = await self._storage.get_jobs(ids) if ids else []
        return ScheduleHistory(schedule, {job.spec.id: job.state for job in jobs if job is not None})

    async def list_schedules(self, after: str, limit: int) -> list[v1.Schedule]:
        """The next ones by name, after the name *after*."""
        return await self._storage.list_schedules(after, limit)
