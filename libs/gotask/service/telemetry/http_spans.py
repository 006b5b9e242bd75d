"""A span for each HTTP request."""

from collections.abc import Mapping
from typing import Any

from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, use_span

from gotask.service.telemetry.contract import AsgiApp

_SERVER_ERROR = 500


class HttpSpans:
    """An ASGI application around another. A request that brings a trace context continues that trace."""

    def __init__(self, app: AsgiApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        span = self._tracer.start_span(
            scope["method"], propagate.extract(headers, Context()), SpanKind.SERVER, _of_request(scope, headers)
        )

        async def observed_send(message: Any) -> None:
            if message["type"] == "http.response.start":
                _of_response(span, message["status"])
            await send(message)

        with use_span(span, end_on_exit=True, record_exception=False):
            try:
                await self._app(scope, receive, observed_send)
            finally:
                _name_by_route(span, scope)


def _of_request(scope: Any, headers: Mapping[str, str]) -> dict[str, Any]:
    host, _, port = headers.get("host", "").partition(":")
    attributes: dict[str, Any] = {
        "http.request.method": scope["method"],
        "url.path": scope["path"],
        "url.scheme": scope["scheme"],
        "network.protocol.version": scope["http_version"],
    }
    if host:
        attributes["server.address"] = host
    if port.isdecimal():
        attributes["server.port"] = int(port)
    if agent := headers.get("user-agent"):
        attributes["user_agent.original"] = agent
    return attributes


def _of_response(span: Span, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= _SERVER_ERROR:
        span.set_attribute("error.type", str(status))
        span.set_status(Status(StatusCode.ERROR))


def _name_by_route(span: Span, scope: Any) -> None:
    """After the route's template, of which there are few; a path that has no route gives no name."""
    route = getattr(scope.get("route"), "path", None)
    if route:
        span.set_attribute("http.route", route)
        span.update_name(f"{scope['method']} {route}")
