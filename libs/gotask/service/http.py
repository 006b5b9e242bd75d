"""An HTTP server inside a service's event loop, and the pages that every service has."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
import uvicorn

_JSON = "application/json"

AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]


class HttpServer:
    """Serves an ASGI application until :meth:`stop`. The owner of the process keeps its signals."""

    def __init__(self, app: AsgiApp, host: str, port: int) -> None:
        self._server = _Server(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=5,
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
        self._server.should_exit = True
        if self._task is not None:
            await asyncio.wait([self._task])


class _Server(uvicorn.Server):
    def capture_signals(self) -> Any:
        return contextlib.nullcontext()


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
