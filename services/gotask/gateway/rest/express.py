"""The way of the hottest request past the framework."""

from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gotask.gateway.rest.problems import problem_of

_log = structlog.get_logger("gotask.gateway")


class Express:
    """Calls *endpoint* itself for POST requests to *path*, and leaves all others to *app*.

    FastAPI and Starlette take longer to find and call an endpoint than this one takes to do its work. The endpoint is
    registered with them nevertheless: they describe it, and answer other methods on its path.
    """

    def __init__(self, app: ASGIApp, path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> None:
        self._app = app
        self._path = path
        self._endpoint = endpoint
        self._route = Route(path, endpoint, methods=["POST"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != self._path or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        scope["route"] = self._route
        try:
            response = await self._endpoint(Request(scope, receive))
        except ClientDisconnect:
            return
        except Exception as error:
            problem = problem_of(error)
            if problem.status == 500:
                _log.exception("request failed", path=self._path)
            response = problem.response()
        await response(scope, receive, send)
