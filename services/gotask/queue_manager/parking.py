"""Claims that wait for work."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

Profile = tuple[str, ...]
"""The queues that a worker serves, sorted: workers of one profile are alike."""


@dataclass(slots=True)
class ParkedClaim:
    worker: str
    queues: Profile
    capacity: int
    reply: str
    deadline_us: int
    withdrawn: bool = False


@dataclass(slots=True)
class _Line:
    """The claims of one profile, oldest first, and how many jobs are believed to wait for them: in all, and those that
    were heard of since claims were last taken out."""

    claims: deque[ParkedClaim] = field(default_factory=deque)
    demand: int = 0
    news: int = 0


class Parking:
    """Keeps claims until there may be work for them, so that an idle fleet costs nothing.

    A claim is tried when it comes and nobody of its profile waits before it, when jobs are known to have come to one
    of its queues, and when it is polled.
    """

    def __init__(self) -> None:
        self._lines: dict[Profile, _Line] = {}
        self._by_queue: dict[str, set[Profile]] = {}
        self._taken: list[ParkedClaim] = []

    def __len__(self) -> int:
        return sum(len(line.claims) for line in self._lines.values())

    def _line(self, profile: Profile) -> _Line:
        line = self._lines.get(profile)
        if line is None:
            line = self._lines[profile] = _Line()
            for queue in profile:
                self._by_queue.setdefault(queue, set()).add(profile)
        return line

    def park(self, claim: ParkedClaim) -> None:
        line = self._line(claim.queues)
        if not line.claims or line.demand:
            line.demand += claim.capacity
        line.claims.append(claim)

    def wake(self, ready: Mapping[str, int]) -> bool:
        """Jobs became pending; whether a claim waits for one of them."""
        found = False
        for queue, jobs in ready.items():
            for profile in self._by_queue.get(queue, ()):
                line = self._lines[profile]
                line.demand += jobs
                line.news += jobs
                found = found or bool(line.claims)
        return found

    def poll(self) -> None:
        """Lets the oldest claim of each profile be tried."""
        for line in self._lines.values():
            line.demand = max(line.demand, 1)

    def take(self, limit: int) -> list[ParkedClaim]:
        """Takes out up to *limit* claims that are worth a try, as many of each profile as its demand covers."""
        taken: list[ParkedClaim] = []
        for line in self._lines.values():
            while line.demand > 0 and line.claims and len(taken) < limit:
                claim = line.claims.popleft()
                line.demand -= claim.capacity
                taken.append(claim)
            line.demand = max(line.demand, 0)
            line.news = 0
        self._taken = taken
        return taken

    def put_back(self, claims: Iterable[ParkedClaim]) -> list[ParkedClaim]:
        """Claims that got nothing wait on, at the place they had; returns those that were withdrawn meanwhile.

        Where one got nothing there is nothing for the others of its profile either, but for what was heard of since.
        """
        withdrawn = []
        for claim in reversed(list(claims)):
            line = self._line(claim.queues)
            line.demand = min(line.demand, line.news)
            if claim.withdrawn:
                withdrawn.append(claim)
            else:
                line.claims.appendleft(claim)
        return withdrawn

    def more(self, profile: Profile) -> None:
        """A claim was filled to the last slot: there may be work for the next."""
        line = self._line(profile)
        line.demand = max(line.demand, 1)

    def overdue(self, now_us: int) -> Iterator[ParkedClaim]:
        """Takes out the claims whose time is over, and forgets profiles that nobody has any more."""
        for profile, line in list(self._lines.items()):
            late = [claim for claim in line.claims if claim.deadline_us <= now_us]
            if late:
                line.claims = deque(claim for claim in line.claims if claim.deadline_us > now_us)
                yield from late
            elif not line.claims:
                self._forget(profile)

    def withdraw(self, worker: str) -> list[ParkedClaim]:
        """Takes out the claims of a worker that wants no more work; those that are being tried go at their return."""
        withdrawn = []
        for claim in self._taken:
            claim.withdrawn = claim.withdrawn or claim.worker == worker
        for line in self._lines.values():
            withdrawn += [claim for claim in line.claims if claim.worker == worker]
            line.claims = deque(claim for claim in line.claims if claim.worker != worker)
        return withdrawn

    def _forget(self, profile: Profile) -> None:
        del self._lines[profile]
        for queue in profile:
            self._by_queue[queue].discard(profile)
            if not self._by_queue[queue]:
                del self._by_queue[queue]
