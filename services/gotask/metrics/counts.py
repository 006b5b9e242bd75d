"""Counts: what happened within some stretch of time."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from gotask.metrics.histogram import Histogram

Typed = tuple[str, str]
"""A queue and a job type."""


@dataclass(slots=True)
class Counts:
    """Counters and histograms by their labels."""

    created: Counter[Typed] = field(default_factory=Counter)
    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Jobs, by queue and the status they ended with."""
    failed: Counter[Typed] = field(default_factory=Counter)
    """Attempts."""
    retried: Counter[str] = field(default_factory=Counter)
    waits: defaultdict[str, Histogram] = field(default_factory=lambda: defaultdict(Histogram))
    """How long jobs were pending, by queue."""
    runs: defaultdict[Typed, Histogram] = field(default_factory=lambda: defaultdict(Histogram))
    """How long attempts ran."""

    def add(self, other: "Counts") -> None:
        self.created.update(other.created)
        self.ended.update(other.ended)
        self.failed.update(other.failed)
        self.retried.update(other.retried)
        for queue, histogram in other.waits.items():
            self.waits[queue].add(histogram)
        for labels, histogram in other.runs.items():
            self.runs[labels].add(histogram)

    def forget(self, gone: Callable[[str, str], bool]) -> None:
        """Drops what belongs to a queue and type ("" for what has none) that *gone* says is no more."""
        for typed in (self.created, self.failed, self.runs):
            _drop(typed, lambda labels: gone(*labels))
        _drop(self.ended, lambda labels: gone(labels[0], ""))
        for by_queue in (self.retried, self.waits):
            _drop(by_queue, lambda queue: gone(queue, ""))

    def to_json(self) -> dict[str, Any]:
        """As lists and numbers, which :meth:`from_json` reads."""
        return {
            "created": _rows(self.created),
            "ended": _rows(self.ended),
            "failed": _rows(self.failed),
            "retried": list(self.retried.items()),
            "waits": [(queue, each.counts, each.sum_us) for queue, each in self.waits.items()],
            "runs": [(*labels, each.counts, each.sum_us) for labels, each in self.runs.items()],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """KeyError, TypeError or ValueError when *document* is none."""
        counts = cls()
        for name in ("created", "ended", "failed"):
            getattr(counts, name).update({(first, second): count for first, second, count in document[name]})
        counts.retried.update(dict(document["retried"]))
        for queue, buckets, sum_us in document["waits"]:
            counts.waits[queue] = Histogram(buckets, sum_us)
        for queue, job_type, buckets, sum_us in document["runs"]:
            counts.runs[queue, job_type] = Histogram(buckets, sum_us)
        return counts


def _rows(counter: Counter[tuple[str, str]]) -> list[tuple[str, str, int]]:
    return [(first, second, count) for (first, second), count in counter.items()]


def _drop(counts: dict[Any, Any], gone: Callable[[Any], bool]) -> None:
    for key in [key for key in counts if gone(key)]:
        del counts[key]
