"""Requests that are answered in several messages."""

import asyncio
import itertools
from collections.abc import AsyncGenerator

from nats.aio.msg import Msg

from gotask.bus.bus import Bus
from gotask.bus.errors import BusUnavailable

_STATUS_HEADER = "Status"


class ReplyInbox:
    """One subscription over which any number of requests get their answers."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._prefix = bus.client.new_inbox()
        self._waiting: dict[str, asyncio.Queue[Msg]] = {}
        self._tokens = itertools.count()

    async def start(self) -> None:
        await self._bus.client.subscribe(f"{self._prefix}.*", cb=self._on_message)

    async def request(self, subject: str, data: bytes, timeout_s: float) -> AsyncGenerator[bytes, None]:
        """Yields the answers as they come, for as long as the caller goes on.

        :raises BusUnavailable: nobody serves *subject*, or no answer came for *timeout_s* seconds.
        """
        token = str(next(self._tokens))
        answers: asyncio.Queue[Msg] = asyncio.Queue()
        self._waiting[token] = answers
        try:
            await self._bus.publish(subject, data, reply=f"{self._prefix}.{token}")
            while True:
                try:
                    message = await asyncio.wait_for(answers.get(), timeout_s)
                except TimeoutError:
                    raise BusUnavailable(f"no answer on {subject} for {timeout_s:g} s") from None
                if not message.data and message.headers and _STATUS_HEADER in message.headers:
                    raise BusUnavailable(f"nobody serves {subject}")
                yield message.data
        finally:
            del self._waiting[token]

    async def _on_message(self, message: Msg) -> None:
        answers = self._waiting.get(message.subject.rsplit(".", 1)[-1])
        if answers is not None:
            answers.put_nowait(message)
