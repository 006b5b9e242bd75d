"""/health and /ready, the metrics, and the documentation at /docs."""

from importlib import resources

from fastapi import APIRouter
from starlette.responses import JSONResponse, PlainTextResponse, Response

from gotask.gateway.metrics import Metrics, Page
from gotask.gateway.rest.messages import respond
from gotask.gateway.rest.openapi import answers
from gotask.gateway.rest.schemas import Health, Readiness
from gotask.service.http import Missing, readiness

_PAGE = resources.files("gotask.gateway.rest").joinpath("docs.html").read_bytes()
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
    )
}
"""The browser sees to it that the page asks nobody else."""


class SystemEndpoints:
    """For those who run GoTask."""

    def __init__(self, missing: Missing, metrics: Metrics) -> None:
        self._missing = missing
        self._metrics = metrics

    def register(self, router: APIRouter, prefix: str) -> None:
        router.add_api_route(
            "/health", self.get_health, methods=["GET"], tags=["system"], responses=answers({200: Health})
        )
        router.add_api_route(
            "/ready",
            self.get_ready,
            methods=["GET"],
            tags=["system"],
            responses=answers({200: Readiness, 503: Readiness}),
        )
        for path, get, answer in (
            ("/metrics", self.get_metrics, PlainTextResponse),
            (f"{prefix}/metrics", self.get_figures, JSONResponse),
        ):
            router.add_api_route(
                path,
                get,
                methods=["GET"],
                tags=["system"],
                response_class=answer,
                responses=answers({200: None}, 503),
            )
        router.add_api_route("/docs", self.get_docs, methods=["GET"], include_in_schema=False)

    async def get_health(self) -> Response:
        """The process lives."""
        return respond({"status": "ok"})

    async def get_ready(self) -> Response:
        """Whether it can do its work; if not, what it lacks."""
        status, document = readiness(await self._missing())
        return respond(document, status)

    async def get_metrics(self) -> Response:
        """For Prometheus: what the metrics service counted, and how queues and workers stand."""
        return _as_response(await self._metrics.prometheus())

    async def get_figures(self) -> Response:
        """The same as JSON: totals, and rates and latency percentiles of the last minute, hour and day, by queue and
        type."""
        return _as_response(await self._metrics.figures())

    async def get_docs(self) -> Response:
        """A page that shows the description, and lets calls be tried."""
        return Response(_PAGE, headers=_HEADERS, media_type="text/html")


def _as_response(page: Page) -> Response:
    return Response(page.body, headers={"content-type": page.content_type})
