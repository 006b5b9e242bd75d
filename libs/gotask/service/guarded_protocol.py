"""HTTP for a door that strangers knock at: who is slow, or says too much, is told so and sent away."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_LINGER_S = 1.0
_RETRY_AFTER_S = 2


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """
    :param request_timeout_s: how long a request may take to arrive, from its first byte to its last; also how long a
        client may stay connected before its first one.
    :param max_head_bytes: the most bytes of a request line and its headers.
    :param max_connections: connections beyond these are answered 503.
    """

    request_timeout_s: float
    max_head_bytes: int
    max_connections: int


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which waits for ever and takes headers of any size, within *limits*.

    Its own answers are problem documents, as the application's are. A request that arrives whole costs no timer.
    """

    def __init__(self, limits: HttpLimits, **options: Any) -> None:
        super().__init__(**options)
        self._limits = limits
        self._arriving = False
        self._head_open = False
        self._head_bytes = 0
        self._chunk_bytes = 0
        self._late: asyncio.TimerHandle | None = None
        self._ended = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._limits.max_connections:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections")
            return
        self._late = self.loop.call_later(self._limits.request_timeout_s, self._on_late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._in_time()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._ended:
            return
        self._chunk_bytes = len(data)
        super().data_received(data)
        if self._ended:
            return
        if not self._arriving:
            self._in_time()
            return
        if self._late is None:
            self._late = self.loop.call_later(self._limits.request_timeout_s, self._on_late)
        if self._head_open:
            self._head_bytes += len(data)
            if self._head_bytes > self._limits.max_head_bytes:
                self._refuse_head()

    def on_message_begin(self) -> None:
        self._arriving = self._head_open = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head_open = False
        # The head may have come with the body in one large chunk: only then is it worth measuring.
        if self._head_bytes + self._chunk_bytes > self._limits.max_head_bytes < self._head_size():
            self._refuse_head()
            return
        super().on_headers_complete()
        if not self.cycle.keep_alive:
            self.cycle.transport = cast("asyncio.Transport", _ClosedGently(self.transport, self._end))

    def on_body(self, body: bytes) -> None:
        if not self._ended:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._arriving = False
        if not self._ended:
            super().on_message_complete()

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def send_400_response(self, _msg: str) -> None:
        self._refuse(HTTPStatus.BAD_REQUEST, "this is not HTTP/1.1")

    def _in_time(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _on_late(self) -> None:
        self._late = None
        if self._arriving and not self._ended:
            self._refuse(
                HTTPStatus.REQUEST_TIMEOUT, f"the request did not arrive in {self._limits.request_timeout_s:g} s"
            )
        else:
            self.transport.close()

    def _refuse_head(self) -> None:
        self._refuse(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            f"the request line and headers are longer than {self._limits.max_head_bytes} bytes",
        )

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        """Answers, unless the application has begun to, and ends the connection."""
        if self._ended or self.transport.is_closing():
            return
        if self.cycle is None or not self.cycle.response_started or self.cycle.response_complete:
            self.transport.write(_answer(status, detail))
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._arriving = True
        self._end()

    def _end(self) -> None:
        """Closes the connection.

        A client that still sends would have the answer torn away by a connection that is closed at once: what it sends
        is thrown away for a moment.
        """
        self._in_time()
        self._ended = True
        if self._arriving and self.transport.can_write_eof():
            self.transport.write_eof()
            self.flow.resume_reading()
            self._late = self.loop.call_later(_LINGER_S, self._on_late)
        else:
            self.transport.close()


class _ClosedGently:
    """A transport whose *close* is another's to do."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = close


def _answer(status: HTTPStatus, detail: str) -> bytes:
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status,
        "detail": detail,
        "errors": [],
    }
    again = ""
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        document["retry_after"] = _RETRY_AFTER_S
        again = f"retry-after: {_RETRY_AFTER_S}\r\n"
    body = orjson.dumps(document)
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        "content-type: application/problem+json\r\n"
        f"content-length: {len(body)}\r\n{again}"
        "connection: close\r\n\r\n"
    )
    return head.encode() + body
