"""What a process shows of itself: its memory and CPU, and how its bus does."""

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from gotask.bus.measures import BOUNDS, Measures

_LE = (*map(str, BOUNDS), "+Inf")


class ProcessMetrics:
    """The page /metrics of a service's health port."""

    def __init__(self, measures: Measures) -> None:
        self._own = CollectorRegistry()
        self._own.register(_BusMetrics(measures))

    def __call__(self) -> tuple[str, bytes]:
        return CONTENT_TYPE_LATEST, generate_latest(REGISTRY) + generate_latest(self._own)


class _BusMetrics(Collector):
    def __init__(self, measures: Measures) -> None:
        self._measures = measures

    def collect(self) -> Iterator[Metric]:
        measures = self._measures
        yield CounterMetricFamily(
            "taskqueue_bus_reconnects", "Connections to NATS that were made anew.", value=measures.reconnects
        )
        waiting = GaugeMetricFamily(
            "taskqueue_stream_waiting_messages", "Messages behind the newest that was received.", labels=["stream"]
        )
        for stream, messages in measures.waiting.items():
            waiting.add_metric([stream], messages)
        yield waiting
        sizes = HistogramMetricFamily("taskqueue_batch_items", "What was handled together.", labels=["of"])
        for name, batches in measures.batches.items():
            buckets = [(bound, float(count)) for bound, count in zip(_LE, accumulate(batches.counts), strict=True)]
            sizes.add_metric([name], buckets, batches.items)
        yield sizes
