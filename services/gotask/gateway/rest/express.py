"""The way of the hottest request past the framework."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

import structlog
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gotask.gateway.refusals import forget_frames
from gotask.gateway.rest.gate import Gate
from gotask.gateway.rest.problems import problem_of

COMPRESS_FROM_BYTES = 2_048
COMPRESS_LEVEL = 4

_log = structlog.get_logger("gotask.gateway")


class Express:
    """Calls *endpoint* itself for POST requests to *path*, and leaves all others to *app*.

    FastAPI and Starlette take longer to find and call an endpoint than this one takes to do its work. The endpoint is
    registered with them nevertheless: they describe it, and answer other methods on its path.
    """

    def __init__(self, app: ASGIApp, gate: Gate, path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> None:
        self._app = app
        self._gate = gate
        self._path = path
        self._call = f"POST {path}"
        self._endpoint = endpoint
        self._route = Route(path, endpoint, methods=["POST"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != self._path or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        scope["route"] = self._route
        try:
            request = Request(scope, receive)
            self._gate.admit(request, self._call)
            response = await self._endpoint(request)
        except ClientDisconnect:
            return
        except Exception as error:
            response = self._refusal(error)
        if len(response.body) >= COMPRESS_FROM_BYTES:
            await GZipMiddleware(response, COMPRESS_FROM_BYTES, COMPRESS_LEVEL)(scope, receive, send)
        else:
            await response(scope, receive, send)

    def _refusal(self, error: Exception) -> Response:
        problem = problem_of(error)
        if problem.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.exception("request failed", path=self._path)
        forget_frames(error)
        return problem.response()
