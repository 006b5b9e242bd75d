"""Ids in the order of a number."""

import heapq


class Ordered:
    """Ids, each with a number (a place in line, or a time); the lowest is found at once, equal ones by id.

    A heap whose entries count only while the id still has the entry's number; the others are dropped when they come up,
    and all at once when they are most of the heap.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._numbers)

    def ids(self) -> list[str]:
        """All ids, in no order."""
        return list(self._numbers)

    def number(self, job_id: str) -> int:
        """The number of an id that is here."""
        return self._numbers[job_id]

    def put(self, job_id: str, number: int) -> None:
        """Adds the id, or moves it."""
        if self._numbers.get(job_id) != number:
            self._numbers[job_id] = number
            heapq.heappush(self._heap, (number, job_id))
            if len(self._heap) > 2 * len(self._numbers) + 1_000:
                self._heap = [(number, job_id) for job_id, number in self._numbers.items()]
                heapq.heapify(self._heap)

    def drop(self, job_id: str) -> None:
        self._numbers.pop(job_id, None)

    def first(self) -> tuple[int, str] | None:
        """The lowest number, and its id."""
        while self._heap:
            number, job_id = self._heap[0]
            if self._numbers.get(job_id) == number:
                return self._heap[0]
            heapq.heappop(self._heap)
        return None

    def up_to(self, number: int, limit: int) -> list[tuple[int, str]]:
        """At most *limit* numbers with their ids, none above *number*, lowest first."""
        found: dict[tuple[int, str], None] = {}
        while len(found) < limit and (entry := self.first()) is not None and entry[0] <= number:
            heapq.heappop(self._heap)
            found[entry] = None
        for entry in found:
            heapq.heappush(self._heap, entry)
        return list(found)
