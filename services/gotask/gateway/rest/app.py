"""The REST application."""

from typing import cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp

from gotask.bus.errors import BusError
from gotask.gateway.dead_letters import DeadLetters
from gotask.gateway.jobs import Jobs
from gotask.gateway.metrics import Metrics
from gotask.gateway.queues import Queues
from gotask.gateway.rest.dead_endpoints import DeadEndpoints
from gotask.gateway.rest.express import Express
from gotask.gateway.rest.job_endpoints import JobEndpoints
from gotask.gateway.rest.openapi import request_schemas
from gotask.gateway.rest.problems import Problem, field_errors, invalid, problem_of
from gotask.gateway.rest.queue_endpoints import QueueEndpoints
from gotask.gateway.rest.submit_endpoints import SubmitEndpoints
from gotask.gateway.rest.system_endpoints import SystemEndpoints
from gotask.gateway.settings import GatewaySettings
from gotask.jobs.validation import InvalidJob
from gotask.service.clock import Clock
from gotask.service.http import Missing
from gotask.storage.contract import StorageUnavailable

_PREFIX = "/api/v1"
_TITLE = "GoTask"
_DESCRIPTION = "Submit jobs, follow them, and see to the queues they wait in."
_NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
"""The framework's own: what goes around all of it tells enough, and quotes no errors."""


def build_app(
    settings: GatewaySettings,
    clock: Clock,
    jobs: Jobs,
    queues: Queues,
    dead: DeadLetters,
    metrics: Metrics,
    missing: Missing,
) -> ASGIApp:
    """All endpoints on one router, the hot one first."""
    app = FastAPI(
        title=_TITLE,
        version="1",
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=_NO_TELEMETRY,
    )
    submit = SubmitEndpoints(settings, clock, jobs)
    submit.register(app.router, _PREFIX)
    JobEndpoints(jobs).register(app.router, _PREFIX)
    QueueEndpoints(settings, clock, queues).register(app.router, _PREFIX)
    DeadEndpoints(settings, dead).register(app.router, _PREFIX)
    SystemEndpoints(missing, metrics, _TITLE).register(app.router, _PREFIX)
    for error in (Problem, InvalidJob, StorageUnavailable, BusError, Exception):
        app.add_exception_handler(error, _on_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    app.openapi()["components"]["schemas"].update(request_schemas())
    return Express(app, f"{_PREFIX}/jobs", submit.create_job)


async def _on_error(_request: Request, error: Exception) -> Response:
    return problem_of(error).response()


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
    """What the path can be asked with, over all its routes."""
    return sorted(
        method
        for route in request.app.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    )


async def _on_validation_error(_request: Request, error: Exception) -> Response:
    # The first part of a place says only that it is in the query.
    found = [each | {"loc": each["loc"][1:]} for each in cast("RequestValidationError", error).errors()]
    return invalid(field_errors(found)).response()


async def _on_disconnect(_request: Request, _error: Exception) -> Response:
    """Nobody will read it."""
    return Response(status_code=400)
