"""What one service's bus measures of itself: plain numbers, which cost next to nothing to keep."""

from bisect import bisect_left
from collections import defaultdict

BOUNDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
"""Upper bounds of the sizes of batches."""


class BatchSizes:
    """How many items batches held, as a histogram: the last count is of those beyond the last bound."""

    __slots__ = ("counts", "items")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.items = 0

    def observe(self, items: int) -> None:
        self.counts[bisect_left(BOUNDS, items)] += 1
        self.items += items


class Measures:
    """Read by whoever shows them."""

    def __init__(self) -> None:
        self.reconnects = 0
        self.batches: defaultdict[str, BatchSizes] = defaultdict(BatchSizes)
        """By what they are batches of: messages of a stream, or items of a group commit."""
        self.waiting: dict[str, int] = {}
        """Messages that waited in a stream behind the newest that was received from it, by the stream's name."""
