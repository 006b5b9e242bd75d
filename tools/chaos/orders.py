"""Orders: the jobs of a run, and what each is promised; the same for the same seed."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gotask.sdk.client.new_job import NewJob

QUEUE = "chaos"
NARROW_QUEUE = "narrow"
NARROW_WORKERS = 3
"""Jobs of the narrow queue that may run at once."""
MAX_RETRIES = 8

_SUCCESS = frozenset({"success"})
_DEAD = frozenset({"dead"})
_SUCCESS_OR_EXPIRED = frozenset({"success", "expired"})
_SUCCESS_OR_CANCELLED = frozenset({"success", "cancelled"})


@dataclass(slots=True)
class Order:
    """One job, known by its idempotency key, and what came of submitting it."""

    key: str
    kind: str
    payload: dict[str, Any]
    ends: frozenset[str]
    """The states in which it may end while it has tries left."""
    options: dict[str, Any] = field(default_factory=dict)
    cancel: bool = False
    """Whether it is cancelled once it is accepted."""
    twice: bool = False
    """Whether it is submitted through two doors at once."""
    cancelled_as: str = ""
    """The state that the answer to its cancel told."""
    stored_as: set[str] = field(default_factory=set)
    """The ids under which it was answered to be stored."""
    accepted: int = 0
    """How often it was answered that it is safe."""

    def new_job(self) -> NewJob[Any]:
        options = {"queue": QUEUE, "max_retries": MAX_RETRIES, "retry_delay": "300ms", "retry_strategy": "fixed"}
        return NewJob(self.kind, self.payload, idempotency_key=self.key, **{**options, **self.options})


def _quick(_: random.Random) -> dict[str, Any]:
    return {"kind": "quick", "payload": {}, "ends": _SUCCESS}


def _slow(chance: random.Random) -> dict[str, Any]:
    return {"kind": "slow", "payload": {"seconds": chance.uniform(0.1, 3)}, "ends": _SUCCESS}


def _thread(chance: random.Random) -> dict[str, Any]:
    return {"kind": "thread", "payload": {"seconds": chance.uniform(0.01, 0.5)}, "ends": _SUCCESS}


def _process(chance: random.Random) -> dict[str, Any]:
    return {"kind": "process", "payload": {"seconds": chance.uniform(0.01, 0.1)}, "ends": _SUCCESS}


def _flaky(chance: random.Random) -> dict[str, Any]:
    return {"kind": "flaky", "payload": {"failures": chance.randint(1, 3)}, "ends": _SUCCESS}


def _doomed(_: random.Random) -> dict[str, Any]:
    return {"kind": "flaky", "payload": {"failures": 99}, "ends": _DEAD, "options": {"max_retries": 2}}


def _hopeless(_: random.Random) -> dict[str, Any]:
    return {"kind": "hopeless", "payload": {}, "ends": _DEAD}


def _late(chance: random.Random) -> dict[str, Any]:
    return {"kind": "quick", "payload": {}, "ends": _SUCCESS, "options": {"delay": chance.uniform(0.5, 5)}}


def _brief(chance: random.Random) -> dict[str, Any]:
    options = {"ttl": chance.uniform(0.5, 3)}
    return {"kind": "quick", "payload": {}, "ends": _SUCCESS_OR_EXPIRED, "options": options}


def _withdrawn(chance: random.Random) -> dict[str, Any]:
    options = {"delay": chance.uniform(0.5, 10)}
    return {"kind": "quick", "payload": {}, "ends": _SUCCESS_OR_CANCELLED, "options": options, "cancel": True}


def _interrupted(chance: random.Random) -> dict[str, Any]:
    payload = {"seconds": chance.uniform(0.1, 3)}
    return {"kind": "slow", "payload": payload, "ends": _SUCCESS_OR_CANCELLED, "cancel": True}


def _narrow(chance: random.Random) -> dict[str, Any]:
    payload = {"seconds": chance.uniform(0.01, 0.2)}
    return {"kind": "slow", "payload": payload, "ends": _SUCCESS, "options": {"queue": NARROW_QUEUE}}


def _twice(_: random.Random) -> dict[str, Any]:
    return {"kind": "quick", "payload": {}, "ends": _SUCCESS, "twice": True}


_KINDS: dict[Callable[[random.Random], dict[str, Any]], int] = {
    _quick: 40,
    _slow: 10,
    _thread: 5,
    _process: 3,
    _flaky: 10,
    _doomed: 4,
    _hopeless: 4,
    _late: 8,
    _brief: 5,
    _withdrawn: 4,
    _interrupted: 4,
    _narrow: 2,
    _twice: 5,
}


class Orders:
    """An endless supply of orders."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(f"orders {seed}")
        self.given: list[Order] = []

    def take(self, count: int) -> list[Order]:
        """The next *count* of them."""
        kinds = self._chance.choices(list(_KINDS), list(_KINDS.values()), k=count)
        taken = [
            Order(key=str(number), **kind(self._chance)) for number, kind in enumerate(kinds, start=len(self.given))
        ]
        self.given += taken
        return taken
