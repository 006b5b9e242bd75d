"""Faults: what is done to which process, and when; the same for the same seed."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

_LONGEST_PAUSE_S = 8.0
_LONGEST_ABSENCE_S = 2.0
_SHORTEST_S = 0.2


class Kind(Enum):
    """What happens to a process."""

    KILL = "kill"
    """SIGKILL, and a new start after a while."""
    PAUSE = "pause"
    """SIGSTOP, and SIGCONT after a while: longer than leases and time-outs, or shorter."""
    STOP = "stop"
    """It is asked to end, does so in its own time, and is started again after a while."""


_WEIGHTS = {Kind.KILL: 5, Kind.PAUSE: 3, Kind.STOP: 2}


@dataclass(frozen=True, slots=True)
class Fault:
    """*at_s* seconds after the beginning something is done to *victim*, and made good *for_s* seconds later."""

    at_s: float
    kind: Kind
    victim: str
    for_s: float

    def __str__(self) -> str:
        return f"{self.at_s:6.1f} s  {self.kind.value:<5}  {self.victim:<16} for {self.for_s:.1f} s"


def draw(seed: int, victims: Sequence[str], seconds: float, every_s: float) -> Iterator[Fault]:
    """Faults for so many seconds, on average one every *every_s*, in order of time."""
    chance = random.Random(f"faults {seed}")
    at_s = 0.0
    while (at_s := at_s + chance.expovariate(1 / every_s)) < seconds:
        (kind,) = chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
        longest = _LONGEST_PAUSE_S if kind is Kind.PAUSE else _LONGEST_ABSENCE_S
        yield Fault(at_s, kind, chance.choice(victims), chance.uniform(_SHORTEST_S, longest))
