"""The other schedulers: who is there, and who sees to which job."""

import uuid
from zlib import crc32

import structlog
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg

from gotask import v1
from gotask.bus.bus import Bus
from gotask.scheduler.loop import Loop
from gotask.service.clock import Clock

_log = structlog.get_logger("gotask.scheduler")

_TELL_EVERY_S = 1.0
_GONE_AFTER_US = 3_500_000


class Peers:
    """Tells the others every second that this one is there, and hears the same of them.

    Nobody leads: each job has one of those that are there to see to it, by rendezvous hashing. That saves work and
    decides nothing: whoever hears nothing of the others sees to all jobs.
    """

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self.name = uuid.uuid4().hex
        self._bus = bus
        self._clock = clock
        self._heard: dict[str, int] = {}
        self._loop = Loop("presence", self._tell)

    async def start(self) -> None:
        await self._bus.subscribe(self._bus.subjects.schedulers, self._hear)
        self._loop.start()

    async def stop(self) -> None:
        """Leaves everything to the others."""
        await self._loop.stop()
        await self._publish(leaving=True)

    def is_mine(self, job_id: str) -> bool:
        """Whether this scheduler sees to a job."""
        if not self._heard:
            return True
        mine = crc32(f"{self.name}{job_id}".encode())
        return all(mine >= crc32(f"{name}{job_id}".encode()) for name in self._heard)

    async def _tell(self) -> float:
        long_ago_us = self._clock.now_us() - _GONE_AFTER_US
        self._heard = {name: at_us for name, at_us in self._heard.items() if at_us > long_ago_us}
        await self._publish(leaving=False)
        return _TELL_EVERY_S

    async def _publish(self, *, leaving: bool) -> None:
        message = v1.SchedulerHere(name=self.name, leaving=leaving)
        await self._bus.publish(self._bus.subjects.schedulers, message.SerializeToString())

    async def _hear(self, message: Msg) -> None:
        try:
            here = v1.SchedulerHere.FromString(message.data)
        except DecodeError as error:
            _log.warning("presence not understood", error=str(error))
            return
        if here.leaving:
            self._heard.pop(here.name, None)
        elif here.name != self.name:
            self._heard[here.name] = self._clock.now_us()
