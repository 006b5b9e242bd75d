"""Ticker: wakes when the next schedule fires."""

from gotask.scheduler.firing import Firing
from gotask.scheduler.loop import Loop
from gotask.service.clock import Clock
from gotask.storage.contract import Storage


class Ticker:
    """Sleeps until the next fire, but not longer than one may be late that another scheduler learns of meanwhile."""

    def __init__(self, storage: Storage, clock: Clock, firing: Firing, poll_s: float) -> None:
        self._storage = storage
        self._clock = clock
        self._firing = firing
        self._poll_s = poll_s
        self._loop = Loop("schedules", self.tick)

    def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()

    def wake(self) -> None:
        """A schedule was stored."""
        self._loop.wake()

    async def tick(self) -> float:
        """One look: fires what is due; returns how long to wait, in seconds."""
        next_us = await self._storage.next_fire()
        if next_us is None:
            return self._poll_s
        wait_s = (next_us - self._clock.now_us()) / 1e6
        if wait_s > 0:
            return min(wait_s, self._poll_s)
        while await self._firing.fire_due():
            pass
        while await self._firing.offer_open():
            pass
        return 0
