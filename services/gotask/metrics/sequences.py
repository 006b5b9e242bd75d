"""Which messages of a stream were counted: a low mark, and what lies above it."""

from bisect import bisect_right
from collections.abc import Iterable


class Sequences:
    """A set of sequence numbers, kept as ranges: small while they come nearly in order.

    The first range begins at 0. Its end is the low mark: everything up to there was counted, or will never come.
    """

    def __init__(self, ranges: Iterable[tuple[int, int]] = ((0, 0),)) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in ranges:
            self._firsts.append(first)
            self._lasts.append(last)

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """First and last of each range, in order."""
        return list(zip(self._firsts, self._lasts, strict=True))

    @property
    def last(self) -> int:
        """The highest number."""
        return self._lasts[-1]

    def add(self, sequence: int) -> bool:
        """Whether *sequence* is new."""
        if sequence == self._lasts[-1] + 1:
            self._lasts[-1] = sequence
            return True
        place = bisect_right(self._firsts, sequence)
        if sequence <= self._lasts[place - 1]:
            return False
        joins_left = self._lasts[place - 1] + 1 == sequence
        joins_right = place < len(self._firsts) and self._firsts[place] == sequence + 1
        if joins_left and joins_right:
            self._lasts[place - 1] = self._lasts.pop(place)
            del self._firsts[place]
        elif joins_left:
            self._lasts[place - 1] = sequence
        elif joins_right:
            self._firsts[place] = sequence
        else:
            self._firsts.insert(place, sequence)
            self._lasts.insert(place, sequence)
        return True

    def raise_to(self, floor: int) -> None:
        """Raises the low mark: what was not counted up to *floor* will never come."""
        if floor <= self._lasts[0]:
            return
        place = bisect_right(self._firsts, floor + 1)
        last = max(floor, self._lasts[place - 1])
        self._firsts[:place] = [0]
        self._lasts[:place] = [last]

    def cut_to(self, end: int) -> None:
        """Forgets the numbers above *end*: their messages are gone, and others will have these numbers."""
        kept = [(first, min(last, end)) for first, last in self.ranges if first <= end]
        self._firsts = [first for first, _ in kept]
        self._lasts = [last for _, last in kept]
