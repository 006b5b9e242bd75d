"""The metrics service, put together."""

from collections.abc import Sequence

import orjson
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from gotask import v1
from gotask.bus.bus import Bus, Publication
from gotask.bus.consumer import BatchConsumer, Received, Undecodable
from gotask.bus.subjects import Stream
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
    """Counts events, and serves /metrics, /api/v1/metrics, /health and /ready.

    A durable consumer remembers where it stopped: events that came while it was away are counted when it is back. The
    counts themselves begin at zero with each start, as Prometheus expects.
    """

    name = "metrics"

    def __init__(self, settings: MetricsSettings, bus: Bus, storage: Storage, clock: Clock) -> None:
        self._bus = bus
        self._storage = storage
        self._clock = clock
        self._started_at_us = clock.now_us()
        self._tally = Tally(settings)
        self._gauges = Gauges(storage, clock, settings.metrics_refresh)
        self._registry = CollectorRegistry()
        self._registry.register(Exporter(self._tally, self._gauges, self._uptime_s))
        self._counted_to = 0
        self._events = BatchConsumer(bus, Stream.EVENTS, "metrics", decode=_decode, apply=self._count)
        pages = {"/metrics": self._prometheus, "/api/v1/metrics": self._json}
        self._http = HttpServer(health_app(self.missing, pages), settings.metrics_host, settings.metrics_port)

    async def start(self) -> None:
        await self._gauges.start()
        await self._events.start()
        await self._http.start()

    async def stop(self) -> None:
        await self._http.stop()
        await self._events.stop()
        await self._gauges.stop()

    async def missing(self) -> list[str]:
        return await missing_parts(self._bus, self._storage)

    def _uptime_s(self) -> float:
        return (self._clock.now_us() - self._started_at_us) / 1e6

    async def _count(self, batch: list[Received[v1.JobEvents]]) -> Sequence[Publication]:
        now_us = self._clock.now_us()
        for received in batch:
            sequence = int(received.cause.rpartition(":")[2])
            if received.redelivered and sequence <= self._counted_to:
                continue
            self._counted_to = max(self._counted_to, sequence)
            for events in received.item.batches:
                self._tally.record(events, now_us)
        return ()

    def _prometheus(self) -> tuple[str, bytes]:
        return CONTENT_TYPE_LATEST, generate_latest(self._registry)

    def _json(self) -> tuple[str, bytes]:
        body = figures(self._tally, self._gauges, self._clock.now_us(), self._uptime_s())
        return "application/json", orjson.dumps(body)


def _decode(message: Msg) -> v1.JobEvents:
    try:
        return v1.JobEvents.FromString(message.data)
    except DecodeError as error:
        raise Undecodable(f"not a JobEvents message: {error}") from None
