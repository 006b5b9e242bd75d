"""The queues' settings, held close: read anew when they change, created on first use."""

import asyncio
from collections.abc import Callable, Iterable

import structlog
from nats.aio.msg import Msg

from gotask import v1
from gotask.bus.bus import Bus
from gotask.bus.patience import patiently
from gotask.jobs.admission import Defaults
from gotask.jobs.limits import DEFAULT_QUEUE
from gotask.jobs.request import default_queue
from gotask.queue_manager.settings import QueueManagerSettings
from gotask.service.clock import Clock
from gotask.service.service import StartFailed
from gotask.service.tasks import stop_task
from gotask.storage.contract import Storage, StorageError, StorageUnavailable

_log = structlog.get_logger("gotask.queue_manager")


class Queues:
    """What this process knows of the queues.

    Limits and pauses are decided in storage; these copies serve defaults, priorities and dead letters. Queue-managers
    tell each other of changes, and read all queues anew every second, since what is told may be lost.
    """

    def __init__(self, settings: QueueManagerSettings, bus: Bus, storage: Storage, clock: Clock) -> None:
        self._settings = settings
        self._bus = bus
        self._storage = storage
        self._clock = clock
        self._known: dict[str, v1.Queue] = {}
        self._defaults: dict[str, Defaults] = {}
        self._changes = 0
        self._on_change: list[Callable[[str], None]] = []
        self._refreshing: asyncio.Task[None] | None = None

    def on_change(self, callback: Callable[[str], None]) -> None:
        """*callback* gets the name of each queue that has changed, wherever it was changed."""
        self._on_change.append(callback)

    async def start(self) -> None:
        """StartFailed when the storage goes away and does not come back in time."""
        await self._bus.subscribe(self._bus.subjects.any_queue_change, self._hear)
        try:
            await patiently(
                self._read_all, self._settings.start_timeout, lambda error: isinstance(error, StorageUnavailable)
            )
        except StorageUnavailable as error:
            raise StartFailed(f"the queues cannot be read: {error}") from error
        self._refreshing = asyncio.create_task(self._keep_fresh())

    async def _read_all(self) -> None:
        await self.refresh()
        await self.ensure([DEFAULT_QUEUE])

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
        self._changes += 1

    def forget(self, name: str) -> None:
        self._known.pop(name, None)
        self._defaults.pop(name, None)
        self._changes += 1

    async def tell(self, name: str) -> None:
        """Tells all queue-managers, this one included, that a queue has changed."""
        await self._bus.publish(self._bus.subjects.queue_change(name), b"")

    async def _hear(self, message: Msg) -> None:
        name = self._bus.subjects.queue_of_change(message.subject)
        try:
            found = await self._storage.get_queues([name])
        except StorageError as error:
            _log.warning("queue not read", queue=name, error=str(error))
            return
        if found:
            self.put(found[0])
        else:
            self.forget(name)
        for callback in self._on_change:
            callback(name)

    async def refresh(self) -> None:
        """Reads all queues, again if one was changed meanwhile."""
        while True:
            changes = self._changes
            queues = await self._storage.get_queues()
            if self._changes == changes:
                break
        self._known = {queue.name: queue for queue in queues}
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
            if created:
                await self.tell(name)

    async def _keep_fresh(self) -> None:
        while True:
            await asyncio.sleep(self._settings.queue_refresh)
            try:
                await self.refresh()
            except StorageError as error:
                _log.warning("queues not refreshed", error=str(error))
