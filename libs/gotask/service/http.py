"""An HTTP server inside a service's event loop, and the pages that every service has."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import orjson
import uvicorn

from gotask.service.guarded_protocol import GuardedProtocol, HttpLimits
from gotask.service.tls_files import TlsFiles

_JSON = "application/json"
_TICK_S = 1.0
_GRACE_S = 5.0

AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]


class HttpServer:
    """Serves an ASGI application until :meth:`stop`. The owner of the process keeps its signals."""

    def __init__(
        self, app: AsgiApp, host: str, port: int, limits: HttpLimits | None = None, tls: TlsFiles | None = None
    ) -> None:
        """
        :param limits: for a server that strangers reach.
        """
        guarded: dict[str, Any] = {"http": partial(GuardedProtocol, limits), "ws": "none"} if limits else {}
        self._server = _Server(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                log_config=None,
                access_log=False,
                lifespan="off",
                proxy_headers=False,
                **guarded,
                **(_tls_options(tls) if tls else {}),
            )
        )
        self._host = host
        self._port = port
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns when the port is open; OSError when it cannot be."""
        self._task = asyncio.create_task(self._serve())
        while not self._server.started:
            if self._task.done():
                await self._task
                raise OSError(f"cannot serve HTTP on {self._host}:{self._port}")
            await asyncio.sleep(0.005)

    async def _serve(self) -> None:
        try:
            await self._server.serve()
        except SystemExit:
            # uvicorn's way to say that it could not bind.
            raise OSError(f"cannot listen on {self._host}:{self._port}: the address is taken or not ours") from None

    async def stop(self) -> None:
        """Lets open requests finish for a moment, then closes."""
        self._server.stop()
        if self._task is not None:
            await asyncio.wait([self._task])


class _Server(uvicorn.Server):
    """Stops when it is told to, and has stopped when its requests have ended: uvicorn's own looks ten times a second
    for both, and always waits once more."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        self.should_exit = True
        self._stopped.set()

    def capture_signals(self) -> Any:
        return contextlib.nullcontext()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), _TICK_S)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if tasks := set(self.server_state.tasks):
            _, late = await asyncio.wait(tasks, timeout=_GRACE_S)
            for task in late:
                task.cancel()


def _tls_options(tls: TlsFiles) -> dict[str, Any]:
    return {
        "ssl_certfile": tls.certificate,
        "ssl_keyfile": tls.key,
        "ssl_ca_certs": tls.client_ca or None,
        "ssl_cert_reqs": ssl.CERT_REQUIRED if tls.client_ca else ssl.CERT_NONE,
    }


Missing = Callable[[], Awaitable[list[str]]]
Page = Callable[[], tuple[str, bytes]]
"""Makes a page: its content type and its body."""


def health_app(missing: Missing, pages: Mapping[str, Page]) -> AsgiApp:
    """/health (the process lives), /ready (503 with what is *missing*), and more *pages* by path."""

    async def answer(path: str) -> tuple[int, str, bytes]:
        if path == "/health":
            return 200, _JSON, b'{"status":"ok"}'
        if path == "/ready":
            status, body = readiness(await missing())
            return status, _JSON, orjson.dumps(body)
        if path in pages:
            return 200, *pages[path]()
        return 404, _JSON, b'{"title":"not found","status":404}'

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        status, content_type, body = await answer(scope["path"])
        headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def readiness(missing: list[str]) -> tuple[int, dict[str, Any]]:
    """The status and body of a readiness answer."""
    if missing:
        return 503, {"status": "not ready", "missing": missing}
    return 200, {"status": "ready", "missing": []}
