"""The last minutes of the figures, for charts."""

from collections import deque
from dataclasses import dataclass
from typing import Any

_LENGTH = 300
WAITING = ("pending", "scheduled", "retrying")


@dataclass(frozen=True, slots=True)
class Sample:
    """The figures at a moment: rates per second, times in seconds, counts of jobs."""

    at_s: float
    created_rate: float
    ended_rate: float
    failed_rate: float
    pending: int
    running: int
    later: int
    dead: int
    wait_p50: float | None
    wait_p95: float | None
    run_p50: float | None
    run_p95: float | None


class History:
    """Samples, one a second, five minutes of them."""

    def __init__(self) -> None:
        self.samples: deque[Sample] = deque(maxlen=_LENGTH)
        self.figures: dict[str, Any] = {}
        self._at_s = 0.0

    def add(self, figures: dict[str, Any], at_s: float) -> None:
        """*figures* as ``GET /metrics`` of the API answers them."""
        if not figures:
            return
        before, between_s = self.figures, at_s - self._at_s
        self.figures, self._at_s = figures, at_s
        minute = figures["last_minute"]
        rates = _rates(before, figures, between_s) if before else (0.0, 0.0, 0.0)
        self.samples.append(
            Sample(
                at_s,
                *rates,
                pending=total(figures, "pending"),
                running=total(figures, "running"),
                later=total(figures, "scheduled") + total(figures, "retrying"),
                dead=total(figures, "dead"),
                wait_p50=minute["wait_seconds"]["p50"],
                wait_p95=minute["wait_seconds"]["p95"],
                run_p50=minute["run_seconds"]["p50"],
                run_p95=minute["run_seconds"]["p95"],
            )
        )


def total(figures: dict[str, Any], state: str) -> int:
    """Jobs in a state over all queues."""
    return sum(queue.get(state, 0) for queue in figures["queues"].values())


def _ended(figures: dict[str, Any]) -> int:
    return sum(count for name, count in figures["jobs"].items() if name not in ("created", "retried"))


def _failed(figures: dict[str, Any]) -> int:
    return sum(figures["jobs"].get(name, 0) for name in ("failed", "dead", "expired"))


def _rates(before: dict[str, Any], now: dict[str, Any], between_s: float) -> tuple[float, float, float]:
    pairs = (
        (before["jobs"]["created"], now["jobs"]["created"]),
        (_ended(before), _ended(now)),
        (_failed(before), _failed(now)),
    )
    created, ended, failed = (max(new - old, 0) / max(between_s, 0.001) for old, new in pairs)
    return created, ended, failed
