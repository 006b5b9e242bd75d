"""The tally: what the events said, in total and over the last minute."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable
from typing import NamedTuple

from gotask import v1
from gotask.metrics.histogram import Histogram
from gotask.metrics.settings import MetricsSettings

OTHER = "_other"
_WINDOW_S = 60

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


class _Second(NamedTuple):
    """What happened within one second, per queue."""

    at_s: int
    created: Counter[str]
    ended: Counter[str]
    waits: defaultdict[str, Histogram]
    runs: defaultdict[str, Histogram]


class Tally:
    """Counters by labels. Label values are bounded, so that nobody can make series without end."""

    def __init__(self, settings: MetricsSettings) -> None:
        self.created: Counter[tuple[str, str]] = Counter()
        self.completed: Counter[tuple[str, str]] = Counter()
        self.failed: Counter[tuple[str, str]] = Counter()
        self.retried: Counter[str] = Counter()
        self.stale: Counter[str] = Counter()
        self.worker_jobs: Counter[tuple[str, str]] = Counter()
        self.runs: defaultdict[tuple[str, str], Histogram] = defaultdict(Histogram)
        self.waits: defaultdict[str, Histogram] = defaultdict(Histogram)
        self.recent: deque[_Second] = deque()
        self.bound_queue = bounded(settings.metrics_max_queues)
        self.bound_worker = bounded(settings.metrics_max_workers)
        self._bound_type: defaultdict[str, Callable[[str], str]] = defaultdict(
            lambda: bounded(settings.metrics_max_types)
        )

    def record(self, batch: v1.EventBatch, now_us: int) -> None:
        """Adds a batch of events. Its cost hardly depends on how many they are."""
        count = len(batch.job_ids)
        kind = batch.kind
        queue = self.bound_queue(batch.queue)
        job_type = self._bound_type[queue](batch.type) if batch.type else ""
        second = self._second(now_us)
        if kind == v1.EVENT_KIND_CREATED:
            self.created[queue, job_type] += count
            second.created[queue] += count
        elif kind == v1.EVENT_KIND_STARTED:
            self.waits[queue].observe(batch.wait_us)
            second.waits[queue].observe(batch.wait_us)
        elif kind == v1.EVENT_KIND_RETRYING:
            self.retried[queue] += count
        elif kind == v1.EVENT_KIND_STALE:
            self.stale[queue] += count
        if (status := STATUSES.get(kind)) is not None:
            self.completed[queue, status] += count
            second.ended[queue] += count
        if kind in (v1.EVENT_KIND_FAILED, v1.EVENT_KIND_DEAD, v1.EVENT_KIND_RETRYING):
            self.failed[queue, job_type] += count
        if batch.worker and (end := _ATTEMPT_ENDS.get(kind)) is not None:
            self.worker_jobs[self.bound_worker(batch.worker), end] += count
        if batch.run_us:
            self.runs[queue, job_type].observe(batch.run_us)
            second.runs[queue].observe(batch.run_us)

    def last_minute(self, now_us: int) -> list[_Second]:
        """The seconds of the last minute in which something happened."""
        self._forget(now_us // 1_000_000)
        return list(self.recent)

    def _second(self, now_us: int) -> _Second:
        at_s = now_us // 1_000_000
        if not self.recent or self.recent[-1].at_s < at_s:
            self.recent.append(_Second(at_s, Counter(), Counter(), defaultdict(Histogram), defaultdict(Histogram)))
            self._forget(at_s)
        return self.recent[-1]

    def _forget(self, at_s: int) -> None:
        while self.recent and self.recent[0].at_s <= at_s - _WINDOW_S:
            self.recent.popleft()


def bounded(limit: int) -> Callable[[str], str]:
    """A function that passes the first *limit* different labels on, and turns all others into ``_other``."""
    known: set[Hashable] = set()

    def label(value: str) -> str:
        if value in known:
            return value
        if len(known) < limit:
            known.add(value)
            return value
        return OTHER

    return label
