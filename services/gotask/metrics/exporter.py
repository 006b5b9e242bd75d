"""The exporter: the tally and the gauges in Prometheus's terms."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from gotask import v1
from gotask.metrics.gauges import Gauges
from gotask.metrics.histogram import Histogram
from gotask.metrics.tally import Tally

_LENGTHS: Mapping[str, Callable[[v1.QueueStats], int]] = {
    "pending": lambda stats: stats.pending,
    "running": lambda stats: stats.running,
    "scheduled": lambda stats: stats.scheduled,
    "retrying": lambda stats: stats.retrying,
    "dead": lambda stats: stats.dead,
}


class Exporter(Collector):
    """Makes the metric families anew at each scrape. Names are part of GoTask's contract."""

    def __init__(self, tally: Tally, gauges: Gauges, uptime_s: Callable[[], float]) -> None:
        self._tally = tally
        self._gauges = gauges
        self._uptime_s = uptime_s

    def collect(self) -> Iterator[Metric]:
        yield from self._counters()
        yield _histogram(
            "taskqueue_job_duration_seconds", "How long attempts ran.", ["queue", "type"], self._tally.runs
        )
        waits = {(queue,): histogram for queue, histogram in self._tally.waits.items()}
        yield _histogram("taskqueue_job_wait_seconds", "How long jobs were pending.", ["queue"], waits)
        yield from self._queue_gauges()
        active = GaugeMetricFamily("taskqueue_workers_active", "Workers that were heard lately.", labels=["worker_id"])
        for worker in self._gauges.snapshot.workers:
            active.add_metric([self._tally.bound_worker(worker.id)], 1)
        yield active
        yield GaugeMetricFamily(
            "taskqueue_system_uptime_seconds", "How long the metrics service has run.", value=self._uptime_s()
        )

    def _counters(self) -> Iterator[Metric]:
        tally = self._tally
        yield _counter("taskqueue_jobs_created", "Jobs that were stored.", ["queue", "type"], tally.created)
        yield _counter("taskqueue_jobs_completed", "Jobs that ended.", ["queue", "status"], tally.completed)
        yield _counter("taskqueue_jobs_failed", "Attempts that failed.", ["queue", "type"], tally.failed)
        retried = {(queue,): count for queue, count in tally.retried.items()}
        yield _counter("taskqueue_jobs_retried", "Attempts that failed and were retried.", ["queue"], retried)
        yield _counter(
            "taskqueue_worker_jobs", "Attempts that ended, by worker.", ["worker_id", "status"], tally.worker_jobs
        )
        stale = {(queue,): count for queue, count in tally.stale.items()}
        yield _counter("taskqueue_results_stale", "Results of attempts that lost their lease.", ["queue"], stale)

    def _queue_gauges(self) -> Iterator[Metric]:
        lengths: dict[tuple[str, str], float] = {}
        paused: dict[str, float] = {}
        for stats in self._gauges.snapshot.stats:
            queue = self._tally.bound_queue(stats.name)
            paused[queue] = max(paused.get(queue, 0), float(stats.paused))
            for state, length in _LENGTHS.items():
                lengths[queue, state] = lengths.get((queue, state), 0) + length(stats)
        family = GaugeMetricFamily("taskqueue_queue_length", "Jobs in a queue, by state.", labels=["queue", "state"])
        for labels, value in lengths.items():
            family.add_metric(labels, value)
        yield family
        family = GaugeMetricFamily("taskqueue_queue_paused", "1 when the queue is paused.", labels=["queue"])
        for queue, value in paused.items():
            family.add_metric([queue], value)
        yield family


def _counter(name: str, text: str, labels: list[str], counts: Mapping[Any, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for values, count in counts.items():
        family.add_metric(values, count)
    return family


def _histogram(name: str, text: str, labels: list[str], histograms: Mapping[Any, Histogram]) -> HistogramMetricFamily:
    family = HistogramMetricFamily(name, text, labels=labels)
    for values, histogram in histograms.items():
        family.add_metric(values, histogram.buckets(), histogram.sum_us / 1e6)
    return family
