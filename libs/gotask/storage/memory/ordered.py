"""Ids in the order of a number."""

import heapq
from collections import deque

_Entry = tuple[int, str]


class Ordered:
    """Ids, each with a number (a place in line, or a time); the lowest is found at once, equal ones by id.

    Most numbers are higher than all before them, and those entries stand in a row; the others are in a heap. An entry
    counts only while its id still has its number; the others are dropped when they come up, and all at once when they
    are most.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._row: deque[_Entry] = deque()
        self._heap: list[_Entry] = []

    def __len__(self) -> int:
        return len(self._numbers)

    def ids(self) -> list[str]:
        """All ids, in no order."""
        return list(self._numbers)

    def put(self, job_id: str, number: int) -> None:
        """Adds the id, or moves it."""
        if self._numbers.get(job_id) == number:
            return
        self._numbers[job_id] = number
        entry = (number, job_id)
        if not self._row or entry > self._row[-1]:
            self._row.append(entry)
        else:
            heapq.heappush(self._heap, entry)
        if len(self._row) + len(self._heap) > 2 * len(self._numbers) + 1_000:
            self._row = deque(sorted((number, job_id) for job_id, number in self._numbers.items()))
            self._heap = []

    def drop(self, job_id: str) -> None:
        self._numbers.pop(job_id, None)

    def first(self) -> _Entry | None:
        """The lowest number, and its id."""
        while self._row and self._numbers.get(self._row[0][1]) != self._row[0][0]:
            self._row.popleft()
        while self._heap and self._numbers.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        if self._row and self._heap:
            return min(self._row[0], self._heap[0])
        return self._row[0] if self._row else self._heap[0] if self._heap else None

    def up_to(self, number: int, limit: int) -> list[_Entry]:
        """At most *limit* numbers with their ids, none above *number*, lowest first."""
        found: dict[_Entry, None] = {}
        from_row = []
        while len(found) < limit and (entry := self.first()) is not None and entry[0] <= number:
            found[entry] = None
            if self._row and self._row[0] is entry:
                from_row.append(self._row.popleft())
            else:
                heapq.heappop(self._heap)
        self._row.extendleft(reversed(from_row))
        for entry in found.keys() - from_row:
            heapq.heappush(self._heap, entry)
        return list(found)
