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
from gotask.service.clock import Clock

_LENGTHS: Mapping[str, Callable[[v1.QueueStats], int]] = {
    "pending": lambda stats: stats.pending,
    "running": lambda stats: stats.running,
    "scheduled": lambda stats: stats.scheduled,
    "retrying": lambda stats: stats.retrying,
    "dead": lambda stats: stats.dead,
}


class Exporter(Collector):
    """Makes the metric families anew at each scrape. Names are part of GoTask's contract."""

    def __init__(self, tally: Tally, gauges: Gauges, clock: Clock, uncounted: Callable[[], int]) -> None:
        """
        :param uncounted: how many messages of events wait to be counted.
        """
        self._tally = tally
        self._gauges = gauges
        self._clock = clock
        self._uncounted = uncounted
        self._started_at_us = clock.now_us()

    def collect(self) -> Iterator[Metric]:
        now_us = self._clock.now_us()
        self._tally.settle(now_us)
        yield from self._counters()
        totals = self._tally.totals
        yield _histogram("taskqueue_job_duration_seconds", "How long attempts ran.", ["queue", "type"], totals.runs)
        waits = {(queue,): histogram for queue, histogram in totals.waits.items()}
        yield _histogram("taskqueue_job_wait_seconds", "How long jobs were pending.", ["queue"], waits)
        yield from self._queue_gauges(now_us)
        yield from self._worker_gauges(now_us)
        yield from self._own_gauges(now_us)

    def _counters(self) -> Iterator[Metric]:
        tally, totals = self._tally, self._tally.totals
        yield _counter("taskqueue_jobs_created", "Jobs that were stored.", ["queue", "type"], totals.created)
        yield _counter("taskqueue_jobs_completed", "Jobs that ended.", ["queue", "status"], totals.ended)
        yield _counter("taskqueue_jobs_failed", "Attempts that failed.", ["queue", "type"], totals.failed)
        retried = {(queue,): count for queue, count in totals.retried.items()}
        yield _counter("taskqueue_jobs_retried", "Attempts that failed and were retried.", ["queue"], retried)
        yield _counter(
            "taskqueue_worker_jobs", "Attempts that ended, by worker.", ["worker_id", "status"], tally.worker_jobs
        )
        stale = {(queue,): count for queue, count in tally.stale.items()}
        yield _counter("taskqueue_results_stale", "Results of attempts that lost their lease.", ["queue"], stale)

    def _queue_gauges(self, now_us: int) -> Iterator[Metric]:
        length = _Gauge("taskqueue_queue_length", "Jobs in a queue, by state.", ["queue", "state"])
        paused = _Gauge("taskqueue_queue_paused", "1 when the queue is paused.", ["queue"])
        workers = _Gauge("taskqueue_queue_workers", "Live workers that serve the queue.", ["queue"])
        age = _Gauge("taskqueue_queue_oldest_pending_seconds", "How long the job next in line has waited.", ["queue"])
        snapshot = self._gauges.snapshot
        for stats in snapshot.stats:
            queue = self._tally.queue_label(stats.name, now_us / 1e6)
            for state, length_of in _LENGTHS.items():
                length.add((queue, state), length_of(stats))
            paused.raise_to((queue,), float(stats.paused))
            workers.add((queue,), stats.workers)
            waited_us = snapshot.at_us - stats.oldest_ready_at_us if stats.oldest_ready_at_us else 0
            age.raise_to((queue,), max(waited_us, 0) / 1e6)
        for gauge in (length, paused, workers, age):
            yield gauge.family()

    def _worker_gauges(self, now_us: int) -> Iterator[Metric]:
        active = _Gauge("taskqueue_workers_active", "Workers that were heard lately.", ["worker_id"])
        draining = _Gauge("taskqueue_worker_draining", "Workers that take no more jobs and will end.", ["worker_id"])
        slots = _Gauge("taskqueue_worker_slots", "Jobs that a worker can run at once.", ["worker_id"])
        running = _Gauge("taskqueue_worker_running", "Jobs that a worker runs.", ["worker_id"])
        for worker in self._gauges.snapshot.workers:
            label = (self._tally.worker_label(worker.id, now_us / 1e6),)
            active.add(label, 1)
            draining.add(label, worker.draining)
            slots.add(label, worker.concurrency)
            running.add(label, worker.running)
        for gauge in (active, draining, slots, running):
            yield gauge.family()

    def _own_gauges(self, now_us: int) -> Iterator[Metric]:
        uptime_s = (now_us - self._started_at_us) / 1e6
        yield GaugeMetricFamily(
            "taskqueue_system_uptime_seconds", "How long the metrics service has run.", value=uptime_s
        )
        yield GaugeMetricFamily(
            "taskqueue_events_uncounted", "Messages of events that wait to be counted.", value=self._uncounted()
        )
        age_s = (now_us - self._gauges.snapshot.at_us) / 1e6
        yield GaugeMetricFamily("taskqueue_gauges_age_seconds", "When the storage was read last.", value=age_s)


class _Gauge:
    """A family whose values under the same labels come together: several may share ``_other``."""

    def __init__(self, name: str, text: str, labels: list[str]) -> None:
        self._family = GaugeMetricFamily(name, text, labels=labels)
        self._values: dict[tuple[str, ...], float] = {}

    def add(self, labels: tuple[str, ...], value: float) -> None:
        self._values[labels] = self._values.get(labels, 0) + value

    def raise_to(self, labels: tuple[str, ...], value: float) -> None:
        self._values[labels] = max(self._values.get(labels, value), value)

    def family(self) -> GaugeMetricFamily:
        for labels, value in self._values.items():
            self._family.add_metric(labels, value)
        return self._family


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
