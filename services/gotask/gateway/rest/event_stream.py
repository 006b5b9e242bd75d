"""Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gotask.gateway.rest.messages import header
from gotask.gateway.rest.problems import problem_of

_PING = b": still here\n\n"
_PING_S = 15.0
_STALL_S = 30.0
_RETRY_MS = 2_000
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def event(name: str, document: Any, event_id: str = "") -> bytes:
    """One event, as bytes."""
    place = f"id: {event_id}\n" if event_id else ""
    return f"{place}event: {name}\ndata: ".encode() + orjson.dumps(document) + b"\n\n"


def opening(event_id: str = "") -> bytes:
    """What a stream begins with: when to come back, and from where."""
    place = f"id: {event_id}\n" if event_id else ""
    return f"{place}retry: {_RETRY_MS}\n\n".encode()


def last_event_id(request: Request) -> str:
    """Where a client that comes back stopped; empty for a new one."""
    return header(request, b"last-event-id") or ""


class EventStream(Response):
    """Sends what *chunks* yields until it ends, the client is gone, or takes nothing for half a minute.

    An error that ends *chunks* is sent as the event ``cut``, with a problem document.
    """

    media_type = "text/event-stream"

    def __init__(self, first: bytes, chunks: AsyncGenerator[bytes, None], longest_s: float) -> None:
        """
        :param first: taken out of *chunks* before: whoever makes this lets errors of the beginning be answers.
        :param longest_s: how long the stream may last, in seconds; its client comes back then.
        """
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._first = first
        self._chunks = chunks
        self._longest_s = longest_s

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.create_task(_disconnected(receive))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await _send(send, self._first)
            async with contextlib.aclosing(self._told(gone)) as told:
                async for chunk in told:
                    await _send(send, chunk)
            if not gone.done():
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            # It takes nothing: the connection is closed, since the response was not completed.
            return
        finally:
            gone.cancel()

    async def _told(self, gone: "asyncio.Task[None]") -> AsyncGenerator[bytes, None]:
        """The chunks, and pings while there are none."""
        end = asyncio.get_running_loop().time() + self._longest_s
        async with contextlib.aclosing(self._chunks) as chunks:
            coming = asyncio.ensure_future(anext(chunks, None))
            try:
                while not gone.done() and (left := end - asyncio.get_running_loop().time()) > 0:
                    await asyncio.wait((coming, gone), timeout=min(_PING_S, left), return_when=asyncio.FIRST_COMPLETED)
                    if not coming.done():
                        yield _PING
                        continue
                    chunk = _outcome(coming)
                    if chunk is None:
                        return
                    yield chunk
                    if coming.exception() is not None:
                        return
                    coming = asyncio.ensure_future(anext(chunks, None))
            finally:
                coming.cancel()
                await asyncio.wait((coming,))


def _outcome(coming: "asyncio.Future[bytes | None]") -> bytes | None:
    error = coming.exception()
    if isinstance(error, Exception):
        return event("cut", problem_of(error).document())
    return coming.result()


async def _send(send: Send, chunk: bytes) -> None:
    async with asyncio.timeout(_STALL_S):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
