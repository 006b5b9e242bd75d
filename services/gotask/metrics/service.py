"""The metrics service, put together."""

import orjson
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from gotask.bus.bus import Bus
from gotask.metrics.answers import Answers
from gotask.metrics.counting import EventCounter
from gotask.metrics.dashboard.serving import Dashboard
from gotask.metrics.exporter import Exporter
from gotask.metrics.figures import figures
from gotask.metrics.gauges import Gauges
from gotask.metrics.settings import MetricsSettings
from gotask.metrics.tally import Tally
from gotask.service.clock import Clock
from gotask.service.http import HttpServer, health_app
from gotask.service.storage import missing_parts
from gotask.storage.contract import Storage


class MetricsService:
    """Counts events; serves /metrics, /api/v1/metrics, /health and /ready, and the first two over the bus, too;
    and the dashboard.

    One is enough, and one counts: a second takes over from the first, whose pages are empty from then on.
    """

    name = "metrics"

    def __init__(self, settings: MetricsSettings, bus: Bus, storage: Storage, clock: Clock) -> None:
        self._bus = bus
        self._storage = storage
        self._clock = clock
        self._started_at_us = clock.now_us()
        self._tally = Tally(settings)
        self._gauges = Gauges(storage, clock, settings.metrics_refresh)
        self._counter = EventCounter(bus, self._tally, clock, settings.metrics_save)
        self._registry = CollectorRegistry()
        self._registry.register(Exporter(self._tally, self._gauges, clock, lambda: self._counter.uncounted))
        self._answers = Answers(
            bus, {"prometheus_metrics": self._prometheus, "json_metrics": self._json}, self._counter.taken_over
        )
        pages = {"/metrics": self._prometheus, "/api/v1/metrics": self._json}
        self._http = HttpServer(health_app(self.missing, pages), settings.metrics_host, settings.metrics_port)
        self._dashboard = Dashboard(settings)

    async def start(self) -> None:
        """BusUnavailable when the broker does not answer; OSError when its port is taken; StartFailed as the dashboard
        has it."""
        await self._gauges.start()
        await self._counter.start()
        await self._answers.start()
        await self._http.start()
        await self._dashboard.start()

    async def stop(self) -> None:
        await self._dashboard.stop()
        await self._http.stop()
        await self._answers.stop()
        await self._counter.stop()
        await self._gauges.stop()

    async def missing(self) -> list[str]:
        missing = await missing_parts(self._bus, self._storage)
        if self._counter.taken_over.is_set():
            missing.append("the counts: another metrics service keeps them now")
        return missing

    def _prometheus(self) -> tuple[str, bytes]:
        return CONTENT_TYPE_LATEST, b"" if self._counter.taken_over.is_set() else generate_latest(self._registry)

    def _json(self) -> tuple[str, bytes]:
        now_us = self._clock.now_us()
        uptime_s = (now_us - self._started_at_us) / 1e6
        body = {} if self._counter.taken_over.is_set() else figures(self._tally, self._gauges, now_us, uptime_s)
        return "application/json", orjson.dumps(body)
