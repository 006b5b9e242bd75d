"""Watching single jobs: told by events, which may be lost, so whoever watches looks the job up now and then."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable

import nats.errors
import structlog
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg

from gotask import v1
from gotask.bus.bus import Bus
from gotask.bus.job_events import ENDINGS, job_event
from gotask.bus.subjects import KIND_TOKENS

_log = structlog.get_logger("gotask.bus")

_FLUSH_TIMEOUT_S = 2
_MAX_WAITING_EVENTS = 1_000
_OTHERS = frozenset(KIND_TOKENS) - ENDINGS

EVERY_QUEUE = "*"
Kinds = frozenset[v1.EventKind.ValueType]
Watcher = Callable[[v1.EventBatch, int], None]


class Inbox:
    """Events of one job that nobody has read yet. Beyond a thousand the oldest are dropped, and *overflown* is set."""

    def __init__(self) -> None:
        self._events: deque[v1.JobEvent] = deque(maxlen=_MAX_WAITING_EVENTS)
        self._arrived = asyncio.Event()
        self.overflown = False

    def put(self, batch: v1.EventBatch, index: int) -> None:
        self.overflown = self.overflown or len(self._events) == _MAX_WAITING_EVENTS
        self._events.append(job_event(batch, index))
        self._arrived.set()

    def wake(self) -> None:
        self._arrived.set()

    async def get(self, timeout_s: float) -> v1.JobEvent | None:
        """The next event; None after *timeout_s* seconds without one, or when it was woken."""
        if not self._events:
            self._arrived.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._arrived.wait()
        return self._events.popleft() if self._events else None


class Watches:
    """Tells those who wait for a job's end, and those who follow it.

    Listens to nothing until somebody does: then to the queue that was named, or to every queue.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._watchers: dict[str, set[Watcher]] = {}
        self._wakers: set[Callable[[], None]] = set()
        self._listening: dict[tuple[str, Kinds], asyncio.Task[None]] = {}
        self.stopped = False

    @contextlib.asynccontextmanager
    async def end_of(self, job_id: str, queue: str = EVERY_QUEUE) -> AsyncIterator[asyncio.Event]:
        """An event that is set when the job has ended since, or on :meth:`stop`."""
        ended = asyncio.Event()

        def watcher(batch: v1.EventBatch, _index: int) -> None:
            if batch.kind in ENDINGS:
                ended.set()

        async with self._watching(job_id, queue, watcher, ended.set, ENDINGS):
            yield ended

    @contextlib.asynccontextmanager
    async def events_of(self, job_id: str, queue: str = EVERY_QUEUE) -> AsyncIterator[Inbox]:
        """Gets what happens to the job from now on; it is woken on :meth:`stop`."""
        inbox = Inbox()
        async with self._watching(job_id, queue, inbox.put, inbox.wake, ENDINGS, _OTHERS):
            yield inbox

    @contextlib.asynccontextmanager
    async def _watching(
        self, job_id: str, queue: str, watcher: Watcher, wake: Callable[[], None], *kinds: Kinds
    ) -> AsyncIterator[None]:
        if self.stopped:
            wake()
        self._wakers.add(wake)
        self._watchers.setdefault(job_id, set()).add(watcher)
        try:
            for each in kinds:
                if (queue, each) not in self._listening:
                    self._listening[queue, each] = asyncio.create_task(self._listen(queue, each))
                await asyncio.shield(self._listening[queue, each])
            yield
        finally:
            self._wakers.discard(wake)
            self._watchers[job_id].discard(watcher)
            if not self._watchers[job_id]:
                del self._watchers[job_id]

    def stop(self) -> None:
        """Wakes everybody."""
        self.stopped = True
        for wake in self._wakers:
            wake()

    async def _listen(self, queue: str, kinds: Kinds) -> None:
        try:
            for kind in kinds:
                await self._bus.client.subscribe(self._bus.subjects.event(queue, kind), cb=self._on_events)
            await self._bus.client.flush(timeout=_FLUSH_TIMEOUT_S)
        except (nats.errors.Error, TimeoutError) as error:
            _log.warning("watches jobs without events", error=str(error))

    async def _on_events(self, message: Msg) -> None:
        if not self._watchers:
            return
        try:
            events = v1.JobEvents.FromString(message.data)
        except DecodeError as error:
            _log.warning("events not understood", subject=message.subject, error=str(error))
            return
        for batch in events.batches:
            for index, job_id in enumerate(batch.job_ids):
                for watcher in tuple(self._watchers.get(job_id, ())):
                    watcher(batch, index)
