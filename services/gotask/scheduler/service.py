"""The scheduler, put together."""

from gotask.bus.bus import Bus
from gotask.scheduler.due import DueJobs
from gotask.scheduler.settings import SchedulerSettings
from gotask.service.clock import Clock
from gotask.service.storage import missing_parts
from gotask.storage.contract import Storage


class SchedulerService:
    """Owns time."""

    name = "scheduler"

    def __init__(self, settings: SchedulerSettings, bus: Bus, storage: Storage, clock: Clock) -> None:
        self._bus = bus
        self._storage = storage
        self._due = DueJobs(bus, storage, clock, settings.scheduler_poll)

    async def start(self) -> None:
        await self._due.start()

    async def stop(self) -> None:
        await self._due.stop()

    async def missing(self) -> list[str]:
        return await missing_parts(self._bus, self._storage)
