"""The JSON figures: totals, and how the last minute went."""

from collections import Counter
from typing import Any

from gotask import v1
from gotask.metrics.gauges import Gauges
from gotask.metrics.histogram import Histogram, merged, quantile_s
from gotask.metrics.tally import Tally

_QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_MINUTE_S = 60


def figures(tally: Tally, gauges: Gauges, now_us: int, uptime_s: float) -> dict[str, Any]:
    """All that a dashboard's first page needs. Durations in seconds."""
    totals: Counter[str] = Counter()
    for (_, status), count in tally.completed.items():
        totals[status] += count
    snapshot = gauges.snapshot
    return {
        "uptime_seconds": uptime_s,
        "jobs": {"created": sum(tally.created.values()), "retried": sum(tally.retried.values()), **totals},
        "queues": {stats.name: _queue(tally, stats, now_us) for stats in snapshot.stats},
        "workers": [
            {"id": worker.id, "running": worker.running, "concurrency": worker.concurrency}
            for worker in snapshot.workers
        ],
    }


def _queue(tally: Tally, stats: v1.QueueStats, now_us: int) -> dict[str, Any]:
    seconds = tally.last_minute(now_us)
    name = stats.name
    return {
        "pending": stats.pending,
        "running": stats.running,
        "scheduled": stats.scheduled,
        "retrying": stats.retrying,
        "dead": stats.dead,
        "paused": stats.paused,
        "created_per_second": sum(second.created[name] for second in seconds) / _MINUTE_S,
        "finished_per_second": sum(second.ended[name] for second in seconds) / _MINUTE_S,
        "wait_seconds": _quantiles(merged(second.waits[name] for second in seconds if name in second.waits)),
        "run_seconds": _quantiles(merged(second.runs[name] for second in seconds if name in second.runs)),
    }


def _quantiles(histogram: Histogram) -> dict[str, float | None]:
    return {name: quantile_s(histogram, share) for name, share in _QUANTILES.items()}
