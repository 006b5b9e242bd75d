"""The dashboard's port. What is behind it is loaded with the first request."""

import asyncio
import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

import structlog

from gotask.metrics.dashboard.guard import Guard, Unguarded
from gotask.metrics.settings import MetricsSettings
from gotask.service.http import HttpServer

if TYPE_CHECKING:
    from gotask.metrics.dashboard.web import Web

_log = structlog.get_logger("gotask.dashboard")
_SILENT = "The gateway does not answer yet, so that nobody knows whether it asks who one is."
_WEB = "gotask.metrics.dashboard.web"


def installed() -> bool:
    """Whether the extra ``dashboard`` is installed."""
    return importlib.util.find_spec("nicegui") is not None


class Dashboard:
    """Serves the dashboard, if it is wanted and installed. Counting goes on without it: a port that is taken is told
    in the log."""

    def __init__(self, settings: MetricsSettings) -> None:
        self._settings = settings
        self._guard = Guard(settings)
        self._http: HttpServer | None = None
        self._web: Web | None = None
        self._loading = asyncio.Lock()

    async def start(self) -> None:
        """StartFailed when strangers could do everything through it, and that is not meant."""
        settings = self._settings
        if not settings.dashboard_port:
            return
        if not installed():
            _log.warning("no dashboard: NiceGUI is missing", install="pip install 'gotask[dashboard]'")
            return
        await self._guard.look()
        http = HttpServer(self, settings.dashboard_host, settings.dashboard_port)
        try:
            await http.start()
        except OSError as error:
            _log.error("no dashboard", reason=str(error), setting="GOTASK_DASHBOARD_PORT")
            return
        self._http = http
        _log.info("dashboard", address=f"http://{settings.dashboard_host}:{settings.dashboard_port}")

    async def stop(self) -> None:
        if self._web is not None:
            await self._web.stop()
        if self._http is not None:
            await self._http.stop()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if problem := await self._problem():
            # Imported here: installed with NiceGUI, and not without.
            from starlette.responses import PlainTextResponse

            await PlainTextResponse(f"{problem}\n", 503)(scope, receive, send)
            return
        web = await self._loaded()
        await web(scope, receive, send)

    async def _problem(self) -> str:
        """Why it shows nothing yet."""
        try:
            await self._guard.look()
        except Unguarded as error:
            return str(error)
        return "" if self._guard.passed else _SILENT

    async def _loaded(self) -> "Web":
        if self._web is None:
            async with self._loading:
                if self._web is None:
                    module = await asyncio.to_thread(importlib.import_module, _WEB)
                    web: Web = module.Web(self._settings)
                    await web.start()
                    self._web = web
        return self._web
