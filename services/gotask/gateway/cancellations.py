"""Orders to cancel jobs, for workers behind the gateway."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

import nats.errors
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg

from gotask import v1
from gotask.bus.bus import Bus
from gotask.gateway.watchers import Watchers

_MAX_UNREAD = 1_000


class Cancellations:
    """Listens for each worker that wants to hear at once. What a worker misses, its next heartbeat tells."""

    def __init__(self, bus: Bus, watchers: Watchers) -> None:
        self._bus = bus
        self._watchers = watchers
        self._open: set[asyncio.Queue[v1.CancelJobs | None]] = set()
        self._stopped = False

    def stop(self) -> None:
        """Ends all streams."""
        self._stopped = True
        for orders in self._open:
            orders.put_nowait(None)

    async def of(self, worker: str) -> AsyncGenerator[v1.CancelJobs, None]:
        """Orders to *worker* as they come. RESOURCE_EXHAUSTED when too many listen."""
        orders: asyncio.Queue[v1.CancelJobs | None] = asyncio.Queue()

        async def on_order(message: Msg) -> None:
            if orders.qsize() < _MAX_UNREAD:
                with contextlib.suppress(DecodeError):
                    orders.put_nowait(v1.CancelJobs.FromString(message.data))

        with self._watchers.one_more():
            subscription = await self._bus.client.subscribe(self._bus.subjects.cancel(worker), cb=on_order)
            self._open.add(orders)
            try:
                while not self._stopped and (order := await orders.get()) is not None:
                    yield order
            finally:
                self._open.discard(orders)
                with contextlib.suppress(nats.errors.Error):
                    await subscription.unsubscribe()
