"""What a page is built with: whoever looks, what was asked for, and what happens meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable

from nicegui import background_tasks, ui
from starlette.requests import Request

from gotask.metrics.dashboard.api import Api, ApiError
from gotask.metrics.dashboard.changes import Change
from gotask.metrics.dashboard.formats import safe
from gotask.metrics.dashboard.history import History
from gotask.metrics.dashboard.live import Live
from gotask.metrics.dashboard.markup import raw
from gotask.metrics.dashboard.sessions import Session

_PAUSE_S = 0.3
_PATIENCE_S = 0.5


class View:
    """One page in one browser."""

    def __init__(self, session: Session, request: Request) -> None:
        self.api: Api = session.api
        self.path = dict(request.path_params)
        self.query = dict(request.query_params)
        self._live: Live = session.live
        self._client = ui.context.client
        self._problem = raw("").classes("notice").props("role=alert")
        self._problem.set_visibility(False)
        self._busy = raw("Looking …").classes("muted").props("role=status")
        self._busy.set_visibility(False)

    @property
    def history(self) -> History:
        return self._live.history

    async def keep(self, refresh: Callable[[Change], Awaitable[None]]) -> None:
        """Calls *refresh* now, and again whenever something changed, until the page is left.

        What takes long comes later: the page is there before it. ApiError of a *refresh* that is refused at once.
        """
        first = asyncio.create_task(self._fill(refresh))
        await asyncio.wait([first], timeout=_PATIENCE_S)
        if first.done():
            first.result()
        self._busy.set_visibility(not first.done())
        task = background_tasks.create(self._follow(refresh, first), name="page")
        self._client.on_delete(task.cancel)
        self._client.on_delete(first.cancel)

    async def _fill(self, refresh: Callable[[Change], Awaitable[None]]) -> None:
        with self._client:
            await refresh(Change(everything=True))

    async def attempt(self, work: Awaitable[object], told: str) -> bool:
        """Does what a button asks for, and says how it went."""
        try:
            await work
        except ApiError as error:
            ui.notify(error.detail, type="negative", multi_line=True, timeout=8_000)
            return False
        ui.notify(told, type="positive")
        return True

    async def _follow(self, refresh: Callable[[Change], Awaitable[None]], first: asyncio.Task[None]) -> None:
        with self._live.subscription() as subscription:
            await asyncio.wait([first])
            self._busy.set_visibility(False)
            if error := first.exception():
                self._say(str(error))
            while True:
                change = await subscription.take()
                try:
                    with self._client:
                        await refresh(change)
                    self._say("")
                except ApiError as error:
                    self._say(error.detail)
                await asyncio.sleep(_PAUSE_S)

    def _say(self, problem: str) -> None:
        if problem != self._problem.content:
            self._problem.set_content(safe(problem))
            self._problem.set_visibility(bool(problem))
