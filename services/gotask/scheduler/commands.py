"""Commands: what users tell schedules to do."""

from collections.abc import Callable

from gotask import v1
from gotask.bus.bus import Bus, Command
from gotask.bus.errors import Code, CommandError
from gotask.jobs.fires import fire_with
from gotask.jobs.ids import is_id
from gotask.jobs.schedule_commands import created, paused, redefined, resumed, run_now
from gotask.jobs.schedules import check_schedule
from gotask.jobs.validation import InvalidJob
from gotask.scheduler.firing import Firing
from gotask.scheduler.ticker import Ticker
from gotask.service.clock import Clock
from gotask.service.unavailable import answering_unavailable
from gotask.storage.contract import ScheduleChange, ScheduleStatus, Storage

GROUP = "scheduler"


class Commands:
    """Serves the command subjects of schedules. All of them may be repeated: a lost answer does no harm."""

    def __init__(
        self, bus: Bus, storage: Storage, clock: Clock, firing: Firing, ticker: Ticker, max_payload_bytes: int
    ) -> None:
        self._bus = bus
        self._storage = storage
        self._clock = clock
        self._firing = firing
        self._ticker = ticker
        self._max_payload_bytes = max_payload_bytes

    async def start(self) -> None:
        for verb, handle in {
            "create_schedule": self._create,
            "update_schedule": self._update,
            "delete_schedule": self._delete,
            "pause_schedule": self._pause,
            "resume_schedule": self._resume,
            "run_schedule": self._run,
        }.items():
            await self._bus.serve_command(verb, GROUP, answering_unavailable(handle))

    async def _create(self, command: Command) -> v1.Schedule:
        schedule = created(self._wanted(command), self._clock.now_us())
        if not await self._storage.create_schedule(schedule):
            for existing in await self._storage.get_schedules([schedule.id]):
                return existing
            raise _name_taken(schedule.name)
        self._ticker.wake()
        return schedule

    async def _update(self, command: Command) -> v1.Schedule:
        wanted = self._wanted(command)
        return await self._change(wanted.id, lambda stored: redefined(stored, wanted, self._clock.now_us()))

    async def _delete(self, command: Command) -> v1.ScheduleId:
        """OK also when it does not exist: it may have been deleted by this very command."""
        request = v1.ScheduleId.FromString(command.data)
        await self._storage.delete_schedule(request.id)
        return request

    async def _pause(self, command: Command) -> v1.Schedule:
        schedule_id = v1.ScheduleId.FromString(command.data).id
        return await self._change(schedule_id, lambda stored: paused(stored, self._clock.now_us()))

    async def _resume(self, command: Command) -> v1.Schedule:
        schedule_id = v1.ScheduleId.FromString(command.data).id
        return await self._change(schedule_id, lambda stored: resumed(stored, self._clock.now_us()))

    async def _run(self, command: Command) -> v1.Schedule:
        request = v1.RunSchedule.FromString(command.data)
        if not is_id(request.job_id):
            raise CommandError(Code.INVALID_ARGUMENT, "must be a UUIDv7 in lower-case text form", "job_id")
        while True:
            stored = await self._find(request.id)
            if fire_with(stored, request.job_id):
                return stored
            schedule, fire = run_now(stored, request.job_id, self._clock.now_us())
            if await self._firing.run_now(schedule, fire):
                return schedule

    def _wanted(self, command: Command) -> v1.Schedule:
        wanted = v1.Schedule.FromString(command.data)
        wanted.created_at_us = self._clock.now_us()
        try:
            check_schedule(wanted, self._max_payload_bytes)
        except InvalidJob as error:
            raise CommandError(Code.INVALID_ARGUMENT, error.reason, error.field) from None
        return wanted

    async def _change(self, schedule_id: str, make: Callable[[v1.Schedule], v1.Schedule]) -> v1.Schedule:
        while True:
            stored = await self._find(schedule_id)
            schedule = make(stored)
            if schedule is stored:
                return stored
            (status,) = await self._storage.change_schedules([ScheduleChange(schedule)], self._clock.now_us())
            if status is ScheduleStatus.CHANGED:
                self._ticker.wake()
                return schedule
            if status is ScheduleStatus.NAME_TAKEN:
                raise _name_taken(schedule.name)

    async def _find(self, schedule_id: str) -> v1.Schedule:
        for schedule in await self._storage.get_schedules([schedule_id]):
            return schedule
        raise CommandError(Code.NOT_FOUND, f"there is no schedule {schedule_id}", "id")


def _name_taken(name: str) -> CommandError:
    return CommandError(Code.ALREADY_EXISTS, f"there is another schedule {name!r}", "name")
