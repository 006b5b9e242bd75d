"""Events: gathered as columns, published per queue and kind."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gotask import v1
from gotask.bus.bus import Publication
from gotask.bus.subjects import KIND_TOKENS, Subjects
from gotask.jobs.states import CANCELLED, DEAD, EXPIRED, FAILED, PENDING, RETRYING, SUCCESS

KIND_OF_STATE = {
    SUCCESS: v1.EVENT_KIND_SUCCEEDED,
    RETRYING: v1.EVENT_KIND_RETRYING,
    PENDING: v1.EVENT_KIND_RETURNED,
    FAILED: v1.EVENT_KIND_FAILED,
    DEAD: v1.EVENT_KIND_DEAD,
    CANCELLED: v1.EVENT_KIND_CANCELLED,
    EXPIRED: v1.EVENT_KIND_EXPIRED,
}
"""The event that tells of an attempt's end, by the state it left the job in."""


class _Key(NamedTuple):
    queue: str
    kind: v1.EventKind.ValueType
    type: str
    worker: str


class EventLog:
    """The events of one cause.

    Their message ids derive from the cause, so that a cause that is replayed publishes them under the same ids.
    """

    def __init__(self, cause: str, at_us: int) -> None:
        self._cause = cause
        self._at_us = at_us
        self._batches: dict[_Key, v1.EventBatch] = {}

    def batch(self, kind: v1.EventKind.ValueType, queue: str, job_type: str = "", worker: str = "") -> v1.EventBatch:
        """The batch to append a job's values to; its columns must stay of equal length."""
        key = _Key(queue, kind, job_type, worker)
        batch = self._batches.get(key)
        if batch is None:
            batch = self._batches[key] = v1.EventBatch(
                kind=kind, queue=queue, type=job_type, worker=worker, at_us=self._at_us
            )
        return batch

    def publications(self, subjects: Subjects) -> Iterator[Publication]:
        """One message per queue and kind."""
        together: dict[tuple[str, v1.EventKind.ValueType], list[v1.EventBatch]] = {}
        for key, batch in self._batches.items():
            together.setdefault((key.queue, key.kind), []).append(batch)
        for (queue, kind), batches in together.items():
            yield Publication(
                subjects.event(queue, kind),
                v1.JobEvents(batches=batches).SerializeToString(),
                f"{self._cause}:{queue}:{KIND_TOKENS[kind]}",
            )


def publications_of(logs: Sequence[EventLog], subjects: Subjects) -> list[Publication]:
    """The messages of several logs."""
    return [publication for log in logs for publication in log.publications(subjects)]
