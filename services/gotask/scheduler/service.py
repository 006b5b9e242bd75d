"""The scheduler, put together."""

from gotask.bus.bus import Bus
from gotask.scheduler.commands import Commands
from gotask.scheduler.due import DueJobs
from gotask.scheduler.firing import Firing
from gotask.scheduler.peers import Peers
from gotask.scheduler.reading import Reading
from gotask.scheduler.refusals import Refusals
from gotask.scheduler.settings import SchedulerSettings
from gotask.scheduler.submitting import Submitter
from gotask.scheduler.ticker import Ticker
from gotask.service.clock import Clock
from gotask.service.storage import missing_parts
from gotask.storage.contract import Storage


class SchedulerService:
    """Owns time."""

    name = "scheduler"

    def __init__(self, settings: SchedulerSettings, bus: Bus, storage: Storage, clock: Clock) -> None:
        self._bus = bus
        self._storage = storage
        missed_after_us = round(settings.missed_after * 1e6)
        self._peers = Peers(bus, clock)
        self._due = DueJobs(bus, storage, clock, self._peers, settings.scheduler_poll)
        self._submitter = Submitter(bus, Refusals(storage, clock, missed_after_us).note)
        firing = Firing(storage, clock, self._submitter.submit, missed_after_us)
        self._ticker = Ticker(storage, clock, firing, settings.scheduler_poll)
        self._commands = Commands(bus, storage, clock, firing, self._ticker, settings.max_payload_bytes)
        self._reading = Reading(bus, storage)

    async def start(self) -> None:
        await self._peers.start()
        await self._submitter.start()
        await self._due.start()
        self._ticker.start()
        await self._commands.start()
        await self._reading.start()

    async def stop(self) -> None:
        await self._ticker.stop()
        await self._due.stop()
        await self._peers.stop()
        await self._submitter.stop()

    async def missing(self) -> list[str]:
        return await missing_parts(self._bus, self._storage)
