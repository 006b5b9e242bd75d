"""The dashboard's web application. Whoever imports this loads NiceGUI."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

from fastapi import FastAPI
from nicegui import ui
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gotask.metrics.dashboard.api import ApiError, open_client, segment
from gotask.metrics.dashboard.frame import frame, head
from gotask.metrics.dashboard.markup import empty
from gotask.metrics.dashboard.pages.dead import dead
from gotask.metrics.dashboard.pages.job import job
from gotask.metrics.dashboard.pages.jobs import jobs
from gotask.metrics.dashboard.pages.overview import overview
from gotask.metrics.dashboard.pages.queues import queues
from gotask.metrics.dashboard.pages.schedule import schedule
from gotask.metrics.dashboard.pages.schedules import schedules
from gotask.metrics.dashboard.pages.workers import workers
from gotask.metrics.dashboard.sessions import Sessions
from gotask.metrics.dashboard.sign_in import add_sign_in, sign_in_first
from gotask.metrics.dashboard.view import View
from gotask.metrics.settings import MetricsSettings

Page = Callable[[View], Awaitable[None]]

_PAGES: dict[str, tuple[str, Page]] = {
    "/": ("Overview", overview),
    "/queues": ("Queues", queues),
    "/jobs": ("Jobs", jobs),
    "/jobs/{job_id}": ("Job", job),
    "/dead": ("Dead letters", dead),
    "/schedules": ("Schedules", schedules),
    "/schedules/{schedule_id}": ("Schedule", schedule),
    "/workers": ("Workers", workers),
}
_FAVICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#3556c8" stroke-width="2.6" '
    'stroke-linecap="round"><path d="M4 6h10M4 12h16M4 18h7"/><circle cx="19" cy="6" r="1.6"/></svg>'
)
_POLICY = (
    b"default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    b"img-src 'self' data:; font-src 'self' data:; connect-src 'self' ws: wss:; frame-ancestors 'none'; "
    b"form-action 'self'; base-uri 'self'"
)
_HEADERS = [
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
]
"""The browser sees to it that pages ask nobody else."""


class Web:
    """An ASGI application. One per process: NiceGUI keeps its pages in the module."""

    def __init__(self, settings: MetricsSettings) -> None:
        self._client = open_client(settings.gateway_url, settings.gateway_ca)
        self._sessions = Sessions(self._client)
        self._app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        self._stack = AsyncExitStack()
        add_sign_in(self._app, self._sessions)
        self._app.add_api_route("/job", _find_job, methods=["GET"])
        for path, (title, page) in _PAGES.items():
            self._add(path, title, page)
        ui.run_with(
            self._app,
            title="GoTask",
            favicon=_FAVICON,
            dark=None,
            language="en-US",
            tailwind=False,
            show_welcome_message=False,
        )

    async def start(self) -> None:
        await self._stack.enter_async_context(self._app.router.lifespan_context(self._app))

    async def stop(self) -> None:
        await self._sessions.stop()
        await self._stack.aclose()
        await self._client.aclose()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        await self._app(scope, receive, send_guarded)

    def _add(self, path: str, title: str, page: Page) -> None:
        @ui.page(path, title=f"{title} · GoTask", response_timeout=20)
        async def shown(request: Request) -> Response | None:
            session = self._sessions.of(request)
            with frame(request, named=session.named):
                try:
                    await page(View(session, request))
                except ApiError as error:
                    if error.status == 401:
                        return sign_in_first(request)
                    _show_error(error)
            return None


async def _find_job(id: str = "") -> Response:  # noqa: A002
    """To a job's page, for the form that asks for its id."""
    return RedirectResponse(f"/jobs/{segment(id.strip())}" if id.strip() else "/jobs", 303)


def _show_error(error: ApiError) -> None:
    titles = {0: "The gateway does not answer", 403: "Not allowed", 404: "Not found"}
    title = titles.get(error.status, "That went wrong")
    with head(title):
        pass
    empty(error.detail, '<a href="">Try again</a>').props("role=alert")
