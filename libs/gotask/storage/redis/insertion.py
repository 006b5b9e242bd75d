"""The arguments and the answer of ``lua/insert.lua``."""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from gotask import v1
from gotask.jobs.states import PENDING, SCHEDULED
from gotask.storage.contract import Inserted, InsertStatus
from gotask.storage.redis.records import HAS_EXPIRY, HAS_IDEMPOTENCY, HAS_UNIQUE, INSERTED_LATER, value_of

_CREATED = (Inserted(InsertStatus.CREATED, PENDING), Inserted(InsertStatus.CREATED, SCHEDULED))


class _Entry(NamedTuple):
    position: int  # in the caller's batch
    queue: str
    id: str
    value: bytes
    extras: Sequence[str | int]


class Insertion:
    """One batch of jobs to insert."""

    def __init__(self, specs: Sequence[v1.JobSpec], now_us: int) -> None:
        self._now_us = now_us
        self._created: list[Inserted] = []
        entries = [self._entry(index, spec) for index, spec in enumerate(specs)]
        if len({entry.id for entry in entries}) == len(entries) and not any(entry.extras for entry in entries):
            # Nothing in the batch can depend on the order between queues.
            entries.sort(key=lambda entry: entry.queue)
        self._order = [entry.position for entry in entries]
        self._entries = entries

    def _entry(self, index: int, spec: v1.JobSpec) -> _Entry:
        flags = 0
        extras: list[str | int] = []
        later = spec.scheduled_at_us > self._now_us
        if later:
            flags |= INSERTED_LATER
            extras.append(spec.scheduled_at_us)
        if spec.expires_at_us:
            flags |= HAS_EXPIRY
            extras.append(spec.expires_at_us)
        if spec.unique_key:
            flags |= HAS_UNIQUE
            extras.append(spec.unique_key)
        if spec.idempotency_key:
            flags |= HAS_IDEMPOTENCY
            extras.append(spec.idempotency_key)
        self._created.append(_CREATED[later])
        return _Entry(index, spec.queue, spec.id, value_of(spec, flags, self._now_us), extras)

    def arguments(self) -> list[str | bytes | int]:
        groups: list[str | bytes | int] = []
        extras: list[str | int] = []
        count = 0
        for queue, group in groupby(self._entries, key=lambda entry: entry.queue):
            jobs: list[str | bytes | int] = []
            for entry in group:
                jobs += (entry.id, entry.value)
                extras += entry.extras
            groups += (queue, len(jobs) // 2, *jobs)
            count += 1
        return [self._now_us, len(self._entries), count, *groups, *extras]

    def results(self, refused: Sequence[tuple[int, int, bytes, bytes]]) -> list[Inserted]:
        """What became of each job, in the order of the caller's batch."""
        results = self._created
        for position, status, existing, _ in refused:
            results[self._order[position]] = Inserted(InsertStatus(status), existing_id=existing.decode())
        return results
