"""What happens, told to all pages of one session."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from gotask.metrics.dashboard.api import Api, ApiError
from gotask.metrics.dashboard.changes import Change, Subscription, change_in
from gotask.metrics.dashboard.history import History
from gotask.service.tasks import stop_task

_SAMPLE_S = 1.0
_AGAIN_S = 1.0
_IDLE_S = 600.0
_TORRENT_BYTES = 200_000
_END = b"\n\n"


class Live:
    """Follows the events and samples the figures while pages look, and ten minutes longer.

    Of a torrent of events it tells only that everything may have changed, and lets the stream go for a second: what
    pages show costs the same at any load.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._subscriptions: set[Subscription] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._looked_at = 0.0
        self.history = History()

    @contextlib.contextmanager
    def subscription(self) -> Iterator[Subscription]:
        """Told from now on."""
        subscription = Subscription()
        self._subscriptions.add(subscription)
        self._looked_at = time.monotonic()
        if all(task.done() for task in self._tasks):
            self._tasks = [asyncio.create_task(self._repeat(work)) for work in (self._follow, self._sample)]
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)
            self._looked_at = time.monotonic()

    async def stop(self) -> None:
        for task in self._tasks:
            await stop_task(task)

    def _tell(self, change: Change) -> None:
        for subscription in self._subscriptions:
            subscription.tell(change)

    def _watched(self) -> bool:
        return bool(self._subscriptions) or time.monotonic() - self._looked_at < _IDLE_S

    async def _repeat(self, work: Callable[[], Awaitable[None]]) -> None:
        while self._watched():
            with contextlib.suppress(ApiError):
                await work()
            self._tell(Change(everything=True))
            await asyncio.sleep(_AGAIN_S)

    async def _sample(self) -> None:
        while self._watched():
            self.history.add(await self._api.get("/metrics"), time.time())
            self._tell(Change())
            await asyncio.sleep(_SAMPLE_S)

    async def _follow(self) -> None:
        """Returns when the stream ended, or brought more than can be told."""
        async with self._api.events() as pieces:
            await self._read(pieces)

    async def _read(self, pieces: AsyncIterator[bytes]) -> None:
        began, size, rest = time.monotonic(), 0, b""
        async for piece in pieces:
            if time.monotonic() - began > 1:
                began, size = time.monotonic(), 0
            size += len(piece)
            if size > _TORRENT_BYTES or not self._watched():
                return
            whole, _, rest = (rest + piece).rpartition(_END)
            if whole:
                self._tell(change_in(whole))
