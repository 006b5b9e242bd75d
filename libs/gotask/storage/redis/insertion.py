"""The arguments and the answer of ``lua/insert.lua``."""

import struct
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from gotask import v1
from gotask.jobs.states import PENDING, SCHEDULED
from gotask.storage.contract import Inserted, InsertStatus
from gotask.storage.redis.packing import joined
from gotask.storage.redis.records import (
    HAS_EXPIRY,
    HAS_IDEMPOTENCY,
    HAS_UNIQUE,
    INSERTED_LATER,
    IS_FIRE,
    value_of,
)

_PENDING = Inserted(InsertStatus.CREATED, PENDING)
_SCHEDULED = Inserted(InsertStatus.CREATED, SCHEDULED)
_LENGTHS = struct.Struct(">IB")
_queue = itemgetter(0)


class Insertion:
    """One batch of jobs to insert."""

    def __init__(self, specs: Sequence[v1.JobSpec], now_us: int) -> None:
        self._now_us = now_us
        self._extras: list[str | int] = []
        self._created: list[Inserted] = []
        self._ids: set[bytes] = set()
        self._jobs = [(spec.queue, position, self._job(spec)) for position, spec in enumerate(specs)]
        if not self._extras and len(self._ids) == len(specs):
            # Nothing in the batch depends on the order between queues.
            self._jobs.sort(key=_queue)

    def _job(self, spec: v1.JobSpec) -> bytes:
        flags = self._take_extras(spec)
        self._created.append(_SCHEDULED if flags & INSERTED_LATER else _PENDING)
        job_id, value = spec.id.encode(), value_of(spec, flags, self._now_us)
        self._ids.add(job_id)
        return _LENGTHS.pack(len(value), len(job_id)) + job_id + value

    def _take_extras(self, spec: v1.JobSpec) -> int:
        """The job's flags; what they call for goes to the extras, in this order."""
        flags = IS_FIRE if spec.schedule_id else 0
        if (scheduled_at_us := spec.scheduled_at_us) > self._now_us:
            flags |= INSERTED_LATER
            self._extras.append(scheduled_at_us)
        if expires_at_us := spec.expires_at_us:
            flags |= HAS_EXPIRY
            self._extras.append(expires_at_us)
        if unique_key := spec.unique_key:
            flags |= HAS_UNIQUE
            self._extras.append(unique_key)
        if idempotency_key := spec.idempotency_key:
            flags |= HAS_IDEMPOTENCY
            self._extras.append(idempotency_key)
        return flags

    def arguments(self) -> list[Any]:
        groups: list[str | bytes] = []
        for queue, jobs in groupby(self._jobs, key=_queue):
            for text in joined(job for _, _, job in jobs):
                groups += (queue, text)
        return [self._now_us, len(self._jobs), len(groups) // 2, *groups, *self._extras]

    def results(self, refused: Sequence[tuple[int, int, bytes, bytes]]) -> list[Inserted]:
        """What became of each job, in the order of the caller's batch."""
        for index, status, existing, _ in refused:
            position = self._jobs[index][1]
            self._created[position] = Inserted(InsertStatus(status), existing_id=existing.decode())
        return self._created
