"""Gauges: read from the storage every few seconds, never by a scrape."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import structlog

from gotask import v1
from gotask.service.clock import Clock
from gotask.service.tasks import stop_task
from gotask.storage.contract import Storage, StorageError

_log = structlog.get_logger("gotask.metrics")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How things stood at one moment. ``workers`` of the stats is filled in."""

    at_us: int
    stats: list[v1.QueueStats] = field(default_factory=list)
    workers: list[v1.WorkerInfo] = field(default_factory=list)


class Gauges:
    """Keeps the newest snapshot."""

    def __init__(self, storage: Storage, clock: Clock, every_s: float) -> None:
        self.snapshot = Snapshot(clock.now_us())
        self._storage = storage
        self._clock = clock
        self._every_s = every_s
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._refresh_or_warn()
        self._loop = asyncio.create_task(self._run())

    async def stop(self) -> None:
        await stop_task(self._loop)

    async def refresh(self) -> None:
        """StorageError when the storage does not answer; the last snapshot stays."""
        now_us = self._clock.now_us()
        names = [queue.name for queue in await self._storage.get_queues()]
        stats = await self._storage.queue_stats(names, now_us)
        workers = await self._storage.list_workers(now_us)
        serving = Counter(queue for worker in workers for queue in worker.queues)
        for each in stats:
            each.workers = serving[each.name]
        self.snapshot = Snapshot(now_us, stats, workers)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            await self._refresh_or_warn()

    async def _refresh_or_warn(self) -> None:
        try:
            await self.refresh()
        except StorageError as error:
            _log.warning("gauges not refreshed", error=str(error))
        except Exception:
            _log.exception("gauges not refreshed")
