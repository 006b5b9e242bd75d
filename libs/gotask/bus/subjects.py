"""Every subject and stream name, in one place.

All begin with the namespace and the contract's version: ``gotask.v1.submit.default``.
"""

import re
from collections.abc import Iterable
from enum import StrEnum

from gotask import v1

_NAMESPACE = re.compile(r"[A-Za-z0-9_-]{1,32}")
_TOKEN = re.compile(r"[^A-Za-z0-9_-]")

KIND_TOKENS = {kind: name.removeprefix("EVENT_KIND_").lower() for name, kind in v1.EventKind.items() if kind}
"""The last token of an event's subject, by its kind."""


class Stream(StrEnum):
    """What a stream holds; :meth:`Subjects.stream` gives its name."""

    SUBMIT = "SUBMIT"
    RESULTS = "RESULTS"
    DUE = "DUE"
    EVENTS = "EVENTS"
    REJECTED = "REJECTED"
    TALLY = "TALLY"


class Subjects:
    """The subjects of one namespace. ValueError for a namespace that no subject can hold."""

    def __init__(self, namespace: str) -> None:
        if not _NAMESPACE.fullmatch(namespace):
            raise ValueError(f"namespace {namespace!r}: use 1 to 32 letters, digits, '_' and '-'")
        self.namespace = namespace
        self._root = f"{namespace}.v1"
        self.submit_many = f"{self._root}.submit"
        self.result = f"{self._root}.result"
        self.due = f"{self._root}.due"
        self.claim = f"{self._root}.claim"
        self.withdraw = f"{self._root}.withdraw"
        self.heartbeat = f"{self._root}.heartbeat"
        self.schedulers = f"{self._root}.schedulers"
        self.any_wake = f"{self._root}.wake.*"
        self.any_queue_change = f"{self._root}.changed.*"
        self.any_event = f"{self._root}.event.>"
        self.any_submit = f"{self._root}.submit.*"
        self.any_rejected = f"{self._root}.rejected.*"
        self.any_drain = f"{self._root}.drain.*"
        self.any_resume = f"{self._root}.resume.*"
        self.any_tally = f"{self._root}.tally.>"

    def stream(self, stream: Stream) -> str:
        return f"{self.namespace}_{stream}"

    def submit(self, queue: str) -> str:
        return f"{self._root}.submit.{queue}"

    def submit_batch(self, queues: Iterable[str]) -> str:
        """For jobs of these queues: that of their queue where it is one, else that of batches of several."""
        (first, *others) = set(queues)
        return self.submit_many if others else self.submit(first)

    def queue_of_submit(self, subject: str) -> str | None:
        """The queue in a submit subject; None for a batch of several queues."""
        rest = subject.removeprefix(self.submit_many)
        return rest[1:] if rest else None

    def event(self, queue: str, kind: v1.EventKind.ValueType) -> str:
        return f"{self._root}.event.{queue}.{KIND_TOKENS[kind]}"

    def any_event_of(self, queue: str) -> str:
        return f"{self._root}.event.{queue}.*"

    def rejected(self, reason: str) -> str:
        return f"{self._root}.rejected.{_token(reason)}"

    def tally(self, part: str) -> str:
        """Where a part of the metrics service's counts is stored."""
        return f"{self._root}.tally.{part}"

    def command(self, verb: str) -> str:
        return f"{self._root}.command.{verb}"

    def wake(self, queue: str) -> str:
        return f"{self._root}.wake.{queue}"

    def queue_change(self, queue: str) -> str:
        """Where queue-managers tell each other that a queue's settings have changed."""
        return f"{self._root}.changed.{queue}"

    def queue_of_change(self, subject: str) -> str:
        return subject.rsplit(".", 1)[-1]

    def cancel(self, worker: str) -> str:
        """Where a worker hears of cancellations."""
        return f"{self._root}.cancel.{_token(worker)}"

    def drain(self, worker: str) -> str:
        """Where a worker is told to claim nothing more."""
        return f"{self._root}.drain.{_token(worker)}"

    def resume(self, worker: str) -> str:
        """Where a worker that drains is told to claim again."""
        return f"{self._root}.resume.{_token(worker)}"


def _token(text: str) -> str:
    """Characters that a subject's token cannot hold are replaced."""
    return _TOKEN.sub("_", text)
