"""Reading schedules, for those who have no storage: clients on NATS."""

from gotask import v1
from gotask.bus.bus import Bus
from gotask.bus.errors import Code, CommandError
from gotask.bus.fitting import room_in, that_fit
from gotask.jobs.ids import is_id
from gotask.scheduler.commands import GROUP
from gotask.service.unavailable import answering_unavailable
from gotask.storage.contract import Storage

_PAGE = 500


class Reading:
    """Answers the commands that change nothing. No answer is larger than a message may be."""

    def __init__(self, bus: Bus, storage: Storage) -> None:
        self._bus = bus
        self._storage = storage
        self._room = room_in(bus.max_payload)

    async def start(self) -> None:
        for verb, handle in {"get_schedule": self._get, "list_schedules": self._list}.items():
            await self._bus.serve(self._bus.subjects.command(verb), GROUP, answering_unavailable(handle))

    async def _get(self, data: bytes) -> v1.Schedule:
        schedule_id = v1.ScheduleId.FromString(data).id
        for schedule in await self._storage.get_schedules([schedule_id]) if is_id(schedule_id) else ():
            return schedule
        raise CommandError(Code.NOT_FOUND, f"there is no schedule {schedule_id}", "id")

    async def _list(self, data: bytes) -> v1.FoundSchedules:
        found = await self._storage.list_schedules(v1.ListNames.FromString(data).after, _PAGE)
        fitting = that_fit(found, self._room)
        return v1.FoundSchedules(schedules=fitting, more=len(fitting) < len(found) or len(found) == _PAGE)
