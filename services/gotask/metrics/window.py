"""A window: what happened within the last minute, hour or day, in slots of equal width."""

from gotask.metrics.counts import Counts


class Window:
    """A ring of *slots* slots, each *width_s* seconds wide; its memory is bounded by them and by the label sets.

    Slot *n* holds what happened from ``n * width_s`` on, in seconds since the epoch.
    """

    def __init__(self, width_s: int, slots: int) -> None:
        self._width_s = width_s
        self._slots = slots
        self._counts: dict[int, Counts] = {}
        self._changed: set[int] = set()
        self._closed = Counts()
        self._closed_before = -1

    def add(self, at_s: int, counts: Counts, now_s: float) -> None:
        """Adds what happened in second *at_s*; what lies before the window is left out."""
        slot = at_s // self._width_s
        if slot <= self._newest(now_s) - self._slots:
            return
        self._counts.setdefault(slot, Counts()).add(counts)
        self._changed.add(slot)
        if slot < self._closed_before:
            self._closed_before = -1
        self._forget(now_s)

    def merged(self, now_s: float) -> Counts:
        """The sum over the window."""
        newest = self._newest(now_s)
        self._forget(now_s)
        if self._closed_before != newest:
            self._closed_before = newest
            self._closed = Counts()
            for slot, counts in self._counts.items():
                if slot < newest:
                    self._closed.add(counts)
        total = Counts()
        total.add(self._closed)
        if newest in self._counts:
            total.add(self._counts[newest])
        return total

    def length_s(self, now_s: float) -> float:
        """How far back the window reaches now: all of its slots but what is left of the newest."""
        return self._slots * self._width_s - (self._width_s - now_s % self._width_s)

    def take_changed(self) -> dict[int, Counts]:
        """The slots that changed since the last call, to be stored at their place in the ring."""
        changed, self._changed = self._changed, set()
        return {slot: self._counts[slot] for slot in changed if slot in self._counts}

    def place(self, slot: int) -> int:
        """Where in the ring a slot lies: one that comes later takes the place of one that is over."""
        return slot % self._slots

    def restore(self, slot: int, counts: Counts, now_s: float) -> None:
        """Puts back what :meth:`take_changed` gave, if it is not over."""
        newest = self._newest(now_s)
        if newest - self._slots < slot <= newest:
            self._counts[slot] = counts
            self._closed_before = -1

    def _newest(self, now_s: float) -> int:
        return int(now_s // self._width_s)

    def _forget(self, now_s: float) -> None:
        oldest = self._newest(now_s) - self._slots
        for slot in [slot for slot in self._counts if slot <= oldest]:
            del self._counts[slot]
            self._closed_before = -1
