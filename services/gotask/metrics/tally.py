"""The tally: what the events said, in total and over the last minute, hour and day."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from gotask import v1
from gotask.metrics.counts import Counts
from gotask.metrics.labels import OTHER, Labels, Room
from gotask.metrics.settings import MetricsSettings
from gotask.metrics.window import Window

STATUSES = {
    v1.EVENT_KIND_SUCCEEDED: "success",
    v1.EVENT_KIND_FAILED: "failed",
    v1.EVENT_KIND_DEAD: "dead",
    v1.EVENT_KIND_CANCELLED: "cancelled",
    v1.EVENT_KIND_EXPIRED: "expired",
}
"""The events that end a job, and the status they leave it with."""

_ATTEMPT_ENDS = {
    v1.EVENT_KIND_SUCCEEDED: "completed",
    v1.EVENT_KIND_RETRYING: "failed",
    v1.EVENT_KIND_FAILED: "failed",
    v1.EVENT_KIND_DEAD: "failed",
    v1.EVENT_KIND_CANCELLED: "cancelled",
    v1.EVENT_KIND_RETURNED: "returned",
}
_FAILURES = frozenset({v1.EVENT_KIND_FAILED, v1.EVENT_KIND_DEAD, v1.EVENT_KIND_RETRYING})


class Tally:
    """Counts events under bounded labels.

    Events are gathered by the second in which they happened, and settled into the totals and the windows together:
    :meth:`settle` comes before every look.
    """

    def __init__(self, settings: MetricsSettings) -> None:
        self.totals = Counts()
        self.jobs: Counter[str] = Counter()
        """Jobs that were created, retried, or ended, by status; those whose series ended, too."""
        self.stale: Counter[str] = Counter()
        self.worker_jobs: Counter[tuple[str, str]] = Counter()
        self.windows = {"last_minute": Window(1, 60), "last_hour": Window(60, 60), "last_day": Window(900, 96)}
        self._fresh: dict[int, Counts] = {}
        self._settings = settings
        self._idle_s = settings.metrics_idle
        self._queues = Labels(settings.metrics_max_queues, self._idle_s, self._forget_queue)
        self._workers = Labels(settings.metrics_max_workers, self._idle_s, self._forget_worker)
        self._types: dict[str, Labels] = {}
        self._room = Room(settings.metrics_max_series)

    def record(self, batch: v1.EventBatch, now_us: int) -> None:
        """Adds a batch of events. Its cost hardly depends on how many they are."""
        now_s = now_us / 1e6
        count = len(batch.job_ids)
        kind = batch.kind
        queue = self.queue_label(batch.queue, now_s)
        typed = (queue, self.type_label(queue, batch.type, now_s))
        fresh = self._fresh_counts(min(batch.at_us, now_us) // 1_000_000)
        if kind == v1.EVENT_KIND_CREATED:
            fresh.created[typed] += count
        elif kind == v1.EVENT_KIND_STARTED:
            fresh.waits[queue].observe(batch.wait_us)
        elif kind == v1.EVENT_KIND_RETRYING:
            fresh.retried[queue] += count
        elif kind == v1.EVENT_KIND_STALE:
            self.stale[queue] += count
        if (status := STATUSES.get(kind)) is not None:
            fresh.ended[queue, status] += count
        if kind in _FAILURES:
            fresh.failed[typed] += count
        if batch.worker and (end := _ATTEMPT_ENDS.get(kind)) is not None:
            self.worker_jobs[self.worker_label(batch.worker, now_s), end] += count
        if batch.run_us:
            fresh.runs[typed].observe(batch.run_us)

    def settle(self, now_us: int) -> None:
        """Brings what was recorded into the totals and the windows."""
        fresh, self._fresh = self._fresh, {}
        for at_s, counts in fresh.items():
            self.totals.add(counts)
            self.jobs["created"] += counts.created.total()
            self.jobs["retried"] += counts.retried.total()
            for (_, status), count in counts.ended.items():
                self.jobs[status] += count
            for window in self.windows.values():
                window.add(at_s, counts, now_us / 1e6)

    def to_json(self) -> dict[str, Any]:
        """The totals; the windows are stored slot by slot."""
        return {
            "totals": self.totals.to_json(),
            "jobs": dict(self.jobs),
            "stale": dict(self.stale),
            "worker_jobs": [(*labels, count) for labels, count in self.worker_jobs.items()],
        }

    def restore(self, document: Mapping[str, Any], now_us: int) -> None:
        """Goes on from what :meth:`to_json` gave; KeyError, TypeError or ValueError when *document* is none."""
        now_s = now_us / 1e6
        self.totals = Counts.from_json(document["totals"])
        self.jobs = Counter(document["jobs"])
        self.stale = Counter(document["stale"])
        self.worker_jobs = Counter({(worker, end): count for worker, end, count in document["worker_jobs"]})
        for queue, job_type in {*self.totals.created, *self.totals.failed, *self.totals.runs}:
            self.type_label(self.queue_label(queue, now_s), job_type, now_s)
        for queue in {*self.totals.waits, *self.totals.retried, *self.stale, *(key[0] for key in self.totals.ended)}:
            self.queue_label(queue, now_s)
        for worker, _ in self.worker_jobs:
            self.worker_label(worker, now_s)

    def queue_label(self, queue: str, now_s: float) -> str:
        return self._queues.label(queue, now_s)

    def type_label(self, queue: str, job_type: str, now_s: float) -> str:
        """The label of a type within a queue's label; "" for none."""
        if not job_type or queue == OTHER:
            return job_type and OTHER
        labels = self._types.get(queue)
        if labels is None:
            labels = self._types[queue] = Labels(
                self._settings.metrics_max_types,
                self._idle_s,
                lambda gone: self.totals.forget(lambda each, of_type: (each, of_type) == (queue, gone)),
                self._room,
            )
        return labels.label(job_type, now_s)

    def worker_label(self, worker: str, now_s: float) -> str:
        return self._workers.label(worker, now_s)

    def _fresh_counts(self, at_s: int) -> Counts:
        counts = self._fresh.get(at_s)
        if counts is None:
            counts = self._fresh[at_s] = Counts()
        return counts

    def _forget_queue(self, queue: str) -> None:
        if (types := self._types.pop(queue, None)) is not None:
            types.clear()
        self.totals.forget(lambda each, _: each == queue)
        self.stale.pop(queue, None)

    def _forget_worker(self, worker: str) -> None:
        for labels in [labels for labels in self.worker_jobs if labels[0] == worker]:
            del self.worker_jobs[labels]
