"""Histograms of durations, filled from columns: a bisection per value and nothing else."""

from bisect import bisect_left
from collections.abc import Sequence

BOUNDS_S = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14400.0,
)  # fmt: skip
"""Upper bounds of the buckets in seconds, from a millisecond to four hours."""

_BOUNDS_US = [round(bound * 1e6) for bound in BOUNDS_S]
_BUCKETS = len(BOUNDS_S) + 1


class Histogram:
    """Counts per bucket, the last of which has no bound, and the sum of all values."""

    __slots__ = ("counts", "sum_us")

    def __init__(self, counts: Sequence[int] = (0,) * _BUCKETS, sum_us: int = 0) -> None:
        """ValueError when there are not as many *counts* as buckets."""
        if len(counts) != _BUCKETS:
            raise ValueError(f"{len(counts)} buckets instead of {_BUCKETS}")
        self.counts = list(counts)
        self.sum_us = sum_us

    def observe(self, values_us: Sequence[int]) -> None:
        """Adds values, in microseconds; negative ones (clocks differ) count as 0."""
        counts = self.counts
        for value in values_us:
            counts[bisect_left(_BOUNDS_US, value)] += 1
        self.sum_us += sum(value for value in values_us if value > 0)

    def add(self, other: "Histogram") -> None:
        self.counts = [mine + its for mine, its in zip(self.counts, other.counts, strict=True)]
        self.sum_us += other.sum_us

    @property
    def count(self) -> int:
        return sum(self.counts)

    def buckets(self) -> list[tuple[str, float]]:
        """Cumulative counts by upper bound, as Prometheus wants them."""
        total = 0
        rows = []
        for bound, count in zip((*map(repr, BOUNDS_S), "+Inf"), self.counts, strict=True):
            total += count
            rows.append((bound, float(total)))
        return rows

    def quantile_s(self, share: float) -> float | None:
        """The value below which *share* of the values lie, in seconds, interpolated within its bucket; None when empty.

        As Prometheus's ``histogram_quantile`` does it: beyond the last bound, that bound.
        """
        wanted = share * self.count
        if not wanted:
            return None
        seen = 0
        lower = 0.0
        for bound, count in zip(BOUNDS_S, self.counts, strict=False):
            if seen + count >= wanted:
                return lower + (bound - lower) * (wanted - seen) / count
            seen += count
            lower = bound
        return BOUNDS_S[-1]
