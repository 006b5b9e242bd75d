"""Pulls messages of a durable consumer into a buffer, and keeps asking whatever happens to the connection."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import nats.errors
import orjson
import structlog
from nats.aio.msg import Msg

from gotask.bus.bus import Bus

if TYPE_CHECKING:
    from nats.aio.subscription import Subscription

_log = structlog.get_logger("gotask.bus")

_EXPIRES_S = 5.0
_PATIENCE_S = _EXPIRES_S + 2.0
_STATUS_HEADER = "Status"
_PULL_ENDED = frozenset({"404", "408", "409"})
_NOBODY_ANSWERS = "503"
_LOST_PAUSE_S = 0.5


class Puller:
    """The messages of *durable* on *stream*, batch by batch.

    nats-py's own ``fetch`` waits its whole timeout after a reconnect; this asks again at once. One request is open at
    a time; it is repeated when it was filled, when it expired, after a reconnect, and when nothing was heard of it for
    longer than it lasts. When the broker has no such consumer, or none just now, whoever pulls may make it anew.
    """

    def __init__(
        self,
        bus: Bus,
        stream: str,
        durable: str,
        *,
        window: int,
        max_batch_bytes: int,
        on_lost: Callable[[], Awaitable[None]],
    ) -> None:
        """
        :param on_lost: called again and again, not twice at once, while nobody serves the consumer.
        :param window: messages asked for at once, and the most that wait here.
        :param max_batch_bytes: a batch ends before it grows beyond this; a larger message comes alone.
        """
        self._bus = bus
        self._next_subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._window = window
        self._max_batch_bytes = max_batch_bytes
        self._on_lost = on_lost
        self._lost = False
        self._buffer: list[Msg] = []
        self._arrived = asyncio.Event()
        self._wanted = 0
        self._heard_at = 0.0
        self._ask_again = asyncio.Event()
        self._inbox = ""
        self._stopped = False
        self._subscription: Subscription | None = None
        self._asking: asyncio.Task[None] | None = None
        self._recovering: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._inbox = self._bus.client.new_inbox()
        self._subscription = await self._bus.client.subscribe(self._inbox, cb=self._on_message)
        self._bus.on_reconnect(self._forget_request)
        self._asking = asyncio.create_task(self._keep_asking())

    async def stop(self) -> None:
        """Asks for nothing more; what was not taken out is delivered again later, to someone."""
        self._stopped = True
        self._bus.off_reconnect(self._forget_request)
        for task in (self._asking, self._recovering):
            if task is not None:
                task.cancel()
        if self._subscription is not None:
            with contextlib.suppress(nats.errors.Error):
                await self._subscription.unsubscribe()
        self._arrived.set()

    async def next_batch(self) -> list[Msg]:
        """Everything that has arrived, in order; waits while that is nothing. Empty after :meth:`stop`."""
        while not self._buffer and not self._stopped:
            self._arrived.clear()
            await self._arrived.wait()
        if self._stopped:
            return []
        batch = self._cut()
        if not self._wanted:
            self._ask_again.set()
        return batch

    def _cut(self) -> list[Msg]:
        total = 0
        for end, message in enumerate(self._buffer):
            total += len(message.data)
            if total > self._max_batch_bytes and end:
                batch, self._buffer = self._buffer[:end], self._buffer[end:]
                return batch
        batch, self._buffer = self._buffer, []
        return batch

    async def _on_message(self, message: Msg) -> None:
        self._heard_at = time.monotonic()
        if not message.data and message.headers and _STATUS_HEADER in message.headers:
            self._on_status(message.headers[_STATUS_HEADER])
            return
        self._wanted = max(self._wanted - 1, 0)
        self._buffer.append(message)
        self._arrived.set()
        if not self._wanted:
            self._ask_again.set()

    def _on_status(self, status: str) -> None:
        if status == _NOBODY_ANSWERS:
            self._lost = True
        elif status not in _PULL_ENDED:
            _log.warning("pull refused", consumer=self._next_subject, status=status)
            return
        self._wanted = 0
        self._ask_again.set()

    def _forget_request(self) -> None:
        self._wanted = 0
        self._ask_again.set()

    async def _keep_asking(self) -> None:
        while True:
            if self._lost:
                await self._recover()
            if not self._wanted and len(self._buffer) < self._window:
                await self._ask()
            self._ask_again.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ask_again.wait(), 1)
            if time.monotonic() - self._heard_at > _PATIENCE_S:
                self._wanted = 0

    async def _recover(self) -> None:
        """Between two leaders, too, there is nobody for a moment, and it is not known which it is."""
        if self._recovering is None or self._recovering.done():
            self._recovering = asyncio.create_task(self._tell_owner())
        await asyncio.sleep(_LOST_PAUSE_S)
        self._lost = False
        self._wanted = 0

    async def _tell_owner(self) -> None:
        try:
            await self._on_lost()
        except (nats.errors.Error, TimeoutError) as error:
            _log.warning("consumer is lost", consumer=self._next_subject, error=repr(error))

    async def _ask(self) -> None:
        self._wanted = self._window
        self._heard_at = time.monotonic()
        request = orjson.dumps({"batch": self._window, "expires": int(_EXPIRES_S * 1e9)})
        await self._bus.publish(self._next_subject, request, reply=self._inbox)
