"""The JSON figures: totals, and how the last minute, hour and day went."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from gotask import v1
from gotask.metrics.counts import Counts
from gotask.metrics.gauges import Gauges
from gotask.metrics.histogram import Histogram
from gotask.metrics.tally import Tally

_QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_NOTHING = Histogram()


def figures(tally: Tally, gauges: Gauges, now_us: int, uptime_s: float) -> dict[str, Any]:
    """All that a dashboard's first page needs. Durations in seconds; a percentile of nothing is null.

    Under each queue and each of its types stand the totals and, for each window, rates per second and percentiles.
    """
    tally.settle(now_us)
    now_s = now_us / 1e6
    spans = [(name, _Span(window.merged(now_s), window.length_s(now_s))) for name, window in tally.windows.items()]
    snapshot = gauges.snapshot
    types = _types_by_queue(tally.totals)
    created, ended = _by_queue(tally.totals.created), _by_queue(tally.totals.ended)
    stats_by_queue = {stats.name: stats for stats in snapshot.stats}
    return {
        "uptime_seconds": uptime_s,
        "jobs": {"created": 0, "retried": 0, **tally.jobs},
        **{name: span.of_all() for name, span in spans},
        "queues": {
            queue: {
                **_lengths(stats_by_queue.get(queue)),
                "totals": {
                    "created": sum(created[queue].values()),
                    "retried": tally.totals.retried[queue],
                    **ended[queue],
                },
                **{name: span.of_queue(queue) for name, span in spans},
                "types": {
                    job_type: {
                        "totals": _type_totals(tally.totals, queue, job_type),
                        **{name: span.of_type(queue, job_type) for name, span in spans},
                    }
                    for job_type in sorted(types[queue])
                },
            }
            for queue in sorted({*stats_by_queue, *types})
        },
        "workers": [
            {
                "id": worker.id,
                "running": worker.running,
                "concurrency": worker.concurrency,
                "draining": worker.draining,
            }
            for worker in snapshot.workers
        ],
    }


class _Span:
    """What happened within a window, looked at from several sides."""

    def __init__(self, counts: Counts, length_s: float) -> None:
        self._counts = counts
        self._length_s = length_s
        self._created = _by_queue(counts.created)
        self._ended = _by_queue(counts.ended)
        self._failed = _by_queue(counts.failed)
        self._runs: defaultdict[str, Histogram] = defaultdict(Histogram)
        for (queue, _), runs in counts.runs.items():
            self._runs[queue].add(runs)

    def of_all(self) -> dict[str, Any]:
        return {
            "created_per_second": self._rate(self._counts.created),
            "ended_per_second": self._rate(self._counts.ended),
            "failed_attempts_per_second": self._rate(self._counts.failed),
            "wait_seconds": _quantiles(self._counts.waits.values()),
            "run_seconds": _quantiles(self._runs.values()),
        }

    def of_queue(self, queue: str) -> dict[str, Any]:
        return {
            "created_per_second": self._rate(self._created[queue]),
            "ended_per_second": self._rate(self._ended[queue]),
            "failed_attempts_per_second": self._rate(self._failed[queue]),
            "wait_seconds": _quantiles([self._counts.waits.get(queue, _NOTHING)]),
            "run_seconds": _quantiles([self._runs[queue]]),
        }

    def of_type(self, queue: str, job_type: str) -> dict[str, Any]:
        runs = self._counts.runs.get((queue, job_type), _NOTHING)
        return {
            "created_per_second": self._counts.created[queue, job_type] / self._length_s,
            "attempts_per_second": runs.count / self._length_s,
            "failed_attempts_per_second": self._counts.failed[queue, job_type] / self._length_s,
            "run_seconds": _quantiles([runs]),
        }

    def _rate(self, counts: Mapping[Any, int]) -> float:
        return sum(counts.values()) / self._length_s


def _types_by_queue(totals: Counts) -> defaultdict[str, set[str]]:
    types: defaultdict[str, set[str]] = defaultdict(set)
    for queue, job_type in {*totals.created, *totals.failed, *totals.runs}:
        types[queue].add(job_type)
    return types


def _by_queue(counts: Mapping[tuple[str, str], int]) -> defaultdict[str, dict[str, int]]:
    by_queue: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for (queue, label), count in counts.items():
        by_queue[queue][label] = count
    return by_queue


def _lengths(stats: v1.QueueStats | None) -> dict[str, Any]:
    """How the queue stands; nothing for one that is no more."""
    if stats is None:
        return {}
    return {
        "pending": stats.pending,
        "running": stats.running,
        "scheduled": stats.scheduled,
        "retrying": stats.retrying,
        "dead": stats.dead,
        "paused": stats.paused,
        "workers": stats.workers,
    }


def _type_totals(totals: Counts, queue: str, job_type: str) -> dict[str, int]:
    runs = totals.runs.get((queue, job_type), _NOTHING)
    return {
        "created": totals.created[queue, job_type],
        "attempts": runs.count,
        "failed_attempts": totals.failed[queue, job_type],
    }


def _quantiles(histograms: Iterable[Histogram]) -> dict[str, float | None]:
    total = Histogram()
    for histogram in histograms:
        total.add(histogram)
    return {name: total.quantile_s(share) for name, share in _QUANTILES.items()}
