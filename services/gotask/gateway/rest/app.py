"""The REST application."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import cast

from fastapi import Depends
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp

from gotask.bus.errors import BusError
from gotask.gateway.access.rules import METRICS, OPEN
from gotask.gateway.parts import Parts
from gotask.gateway.refusals import forget_frames, invalid
from gotask.gateway.rest.dead_endpoints import DeadEndpoints
from gotask.gateway.rest.described_api import DescribedApi
from gotask.gateway.rest.event_endpoints import EventEndpoints
from gotask.gateway.rest.express import COMPRESS_FROM_BYTES, COMPRESS_LEVEL, Express
from gotask.gateway.rest.gate import Gate
from gotask.gateway.rest.job_endpoints import JobEndpoints
from gotask.gateway.rest.problems import Problem, problem_from, problem_of
from gotask.gateway.rest.queue_endpoints import QueueEndpoints
from gotask.gateway.rest.schedule_endpoints import ScheduleEndpoints
from gotask.gateway.rest.submit_endpoints import SubmitEndpoints
from gotask.gateway.rest.system_endpoints import SystemEndpoints
from gotask.gateway.rest.worker_endpoints import WorkerEndpoints
from gotask.gateway.settings import GatewaySettings
from gotask.jobs.field_errors import field_errors
from gotask.jobs.validation import InvalidJob
from gotask.service.clock import Clock
from gotask.service.http import Missing
from gotask.storage.contract import StorageUnavailable

_PREFIX = "/api/v1"
_TITLE = "GoTask"
_DESCRIPTION = "Submit jobs, follow them, let them recur, and see to the queues they wait in."
_NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
"""The framework's own: what goes around all of it tells enough, and quotes no errors."""


def build_app(settings: GatewaySettings, clock: Clock, parts: Parts, missing: Missing) -> ASGIApp:
    """All endpoints on one router, the hot one first."""
    gate = Gate(parts.guard, OPEN | METRICS if settings.open_metrics else OPEN)
    app = DescribedApi(
        title=_TITLE,
        version="1",
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=_NO_TELEMETRY,
        dependencies=[Depends(gate)],
    )
    submit = SubmitEndpoints(settings, clock, parts.jobs, parts.rates)
    submit.register(app.router, _PREFIX)
    JobEndpoints(parts.jobs).register(app.router, _PREFIX)
    EventEndpoints(settings, parts.following, parts.feed).register(app.router, _PREFIX)
    QueueEndpoints(settings, clock, parts.queues).register(app.router, _PREFIX)
    DeadEndpoints(settings, parts.dead_letters).register(app.router, _PREFIX)
    ScheduleEndpoints(settings, clock, parts.schedules).register(app.router, _PREFIX)
    WorkerEndpoints(parts.workers).register(app.router, _PREFIX)
    SystemEndpoints(missing, parts.metrics).register(app.router, _PREFIX)
    for error in (Problem, InvalidJob, StorageUnavailable, BusError, Exception):
        app.add_exception_handler(error, _on_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    app.add_middleware(GZipMiddleware, minimum_size=COMPRESS_FROM_BYTES, compresslevel=COMPRESS_LEVEL)
    return _for_web_pages(settings.cors_origins, Express(app, gate, f"{_PREFIX}/jobs", submit.create_job))


def _for_web_pages(origins: Sequence[str], app: ASGIApp) -> ASGIApp:
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "X-API-Key"],
        expose_headers=["Location", "Retry-After"],
    )


async def _on_error(_request: Request, error: Exception) -> Response:
    response = problem_of(error).response()
    if response.status_code != HTTPStatus.INTERNAL_SERVER_ERROR:
        forget_frames(error)
    return response


async def _on_http_exception(request: Request, error: Exception) -> Response:
    error = cast("HTTPException", error)
    path = request.url.path
    if error.status_code == 404:
        return Problem(404, f"there is nothing at {path}").response()
    if error.status_code == 405:
        allowed = ", ".join(_methods(request))
        return Problem(405, f"{path} takes {allowed}", headers={"Allow": allowed}).response()
    return Problem(error.status_code, str(error.detail), headers=error.headers).response()


def _methods(request: Request) -> list[str]:
    """What the path can be asked with, over all routes of the first pattern that it matches."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    matching = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return sorted(method for route in matching if route.path == matching[0].path for method in route.methods or ())


async def _on_validation_error(_request: Request, error: Exception) -> Response:
    # The first part of a place says only that it is in the query.
    found = [each | {"loc": each["loc"][1:]} for each in cast("RequestValidationError", error).errors()]
    return problem_from(invalid(field_errors(found))).response()


async def _on_disconnect(_request: Request, _error: Exception) -> Response:
    """Nobody will read it."""
    return Response(status_code=400)
