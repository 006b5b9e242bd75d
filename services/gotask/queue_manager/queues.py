"""The queues' settings, held close: read anew every second, created on first use."""

import asyncio
from collections.abc import Iterable

import structlog

from gotask import v1
from gotask.jobs.admission import Defaults
from gotask.jobs.limits import DEFAULT_QUEUE
from gotask.jobs.request import default_queue
from gotask.queue_manager.settings import QueueManagerSettings
from gotask.service.clock import Clock
from gotask.service.tasks import stop_task
from gotask.storage.contract import Storage, StorageUnavailable

_log = structlog.get_logger("gotask.queue_manager")


class Queues:
    """What this process knows of the queues.

    Limits and pauses are decided in storage; these copies serve defaults, priorities and dead letters, and may be a
    second old.
    """

    def __init__(self, settings: QueueManagerSettings, storage: Storage, clock: Clock) -> None:
        self._settings = settings
        self._storage = storage
        self._clock = clock
        self._known: dict[str, v1.Queue] = {}
        self._defaults: dict[str, Defaults] = {}
        self._refreshing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.refresh()
        await self.ensure([DEFAULT_QUEUE])
        self._refreshing = asyncio.create_task(self._keep_fresh())

    async def stop(self) -> None:
        await stop_task(self._refreshing)

    def get(self, name: str) -> v1.Queue | None:
        return self._known.get(name)

    def __len__(self) -> int:
        return len(self._known)

    def defaults(self, name: str) -> Defaults | None:
        """What the queue gives to its jobs."""
        defaults = self._defaults.get(name)
        if defaults is None and (queue := self._known.get(name)) is not None:
            defaults = self._defaults[name] = Defaults(queue)
        return defaults

    def put(self, queue: v1.Queue) -> None:
        self._known[queue.name] = queue
        self._defaults.pop(queue.name, None)

    def forget(self, name: str) -> None:
        self._known.pop(name, None)
        self._defaults.pop(name, None)

    async def refresh(self) -> None:
        self._known = {queue.name: queue for queue in await self._storage.get_queues()}
        self._defaults.clear()

    async def ensure(self, names: Iterable[str]) -> None:
        """Sees to it that each queue is known, creating it when the settings allow that."""
        unknown = {name for name in names if name not in self._known}
        if not unknown:
            return
        for queue in await self._storage.get_queues(sorted(unknown)):
            self.put(queue)
            unknown.discard(queue.name)
        if not self._settings.create_queues:
            return
        for name in sorted(unknown):
            queue = default_queue(name, self._clock.now_us())
            created = await self._storage.create_queue(queue)
            for known in [queue] if created else await self._storage.get_queues([name]):
                self.put(known)

    async def _keep_fresh(self) -> None:
        while True:
            await asyncio.sleep(self._settings.queue_refresh)
            try:
                await self.refresh()
            except StorageUnavailable as error:
                _log.warning("queues not refreshed", error=str(error))
