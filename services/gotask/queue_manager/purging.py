"""The command that purges a queue: what waits in it is cancelled."""

import asyncio
from collections.abc import Sequence

from gotask import v1
from gotask.bus.bus import Bus, Command
from gotask.bus.errors import Code, CommandError
from gotask.queue_manager.dispatch import GROUP
from gotask.queue_manager.publishing import EventPublisher
from gotask.service.clock import Clock
from gotask.service.unavailable import answering_unavailable
from gotask.storage.contract import Storage

_PIECE = 200
_WORK_S = 1.0


class Purging:
    """Works in pieces, so that a million jobs hold up nothing else; after a second it answers how many it cancelled,
    and whether that was all."""

    def __init__(self, bus: Bus, storage: Storage, clock: Clock, events: EventPublisher) -> None:
        self._bus = bus
        self._storage = storage
        self._clock = clock
        self._events = events

    async def start(self) -> None:
        await self._bus.serve_command("purge_queue", GROUP, answering_unavailable(self._purge))

    async def _purge(self, command: Command) -> v1.QueuePurged:
        queue = v1.QueueName.FromString(command.data).name
        if not await self._storage.get_queues([queue]):
            raise CommandError(Code.NOT_FOUND, f"there is no queue {queue!r}", "name")
        loop = asyncio.get_running_loop()
        end = loop.time() + _WORK_S
        cancelled = 0
        while True:
            now_us = self._clock.now_us()
            ids = await self._storage.cancel_waiting(queue, now_us, _PIECE)
            if ids:
                await self._tell(queue, ids, now_us)
            cancelled += len(ids)
            if len(ids) < _PIECE or loop.time() > end:
                return v1.QueuePurged(cancelled=cancelled, complete=len(ids) < _PIECE)

    async def _tell(self, queue: str, ids: Sequence[str], now_us: int) -> None:
        log = self._events.new_log(now_us)
        for job_id, job in zip(ids, await self._storage.get_jobs(ids), strict=True):
            log.batch(v1.EVENT_KIND_CANCELLED, queue, job.spec.type if job else "").job_ids.append(job_id)
        self._events.publish(log)
