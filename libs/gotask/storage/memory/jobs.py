"""All jobs and queues, and what a change of state means for the indexes."""

from bisect import bisect_left
from collections.abc import Iterator

from gotask import v1
from gotask.jobs.states import DEAD, FAILED, PENDING, RETRYING, SCHEDULED, SUCCESS, TERMINAL, WAITING
from gotask.storage.memory.ordered import Ordered
from gotask.storage.memory.records import JobRecord, QueueRecord

_STRATUM = 1 << 45
"""Places in line of one priority."""


class Jobs:
    """Every index follows from the records; only the methods here change both."""

    def __init__(self) -> None:
        self.queues: dict[str, QueueRecord] = {}
        self.due = Ordered()
        self.expiring = Ordered()
        self.idempotent: dict[str, str] = {}
        self.unique: dict[str, str] = {}
        self._records: dict[str, JobRecord] = {}
        self._sorted_ids: list[str] = []
        self._arrivals = 0

    def get(self, job_id: str) -> JobRecord | None:
        return self._records.get(job_id)

    def __getitem__(self, job_id: str) -> JobRecord:
        return self._records[job_id]

    def held(self, job_id: str, attempt: int) -> JobRecord | None:
        """The job, if *attempt* holds its lease."""
        record = self._records.get(job_id)
        if record is None or record.state != v1.JOB_STATE_RUNNING or record.attempt != attempt:
            return None
        return record

    def queue_of(self, record: JobRecord) -> QueueRecord:
        return self.queues[record.spec.queue]

    def newest_first(self, below: str) -> Iterator[JobRecord]:
        """All jobs by id, descending; those below an id, if one is given."""
        end = bisect_left(self._sorted_ids, below) if below else len(self._sorted_ids)
        for index in range(end - 1, -1, -1):
            if (record := self._records.get(self._sorted_ids[index])) is not None:
                yield record

    def add(self, record: JobRecord) -> None:
        """Stores a job; it waits for nothing yet."""
        spec = record.spec
        self._records[spec.id] = record
        self._enter(spec.id)
        if spec.idempotency_key:
            self.idempotent[spec.idempotency_key] = spec.id
        if spec.unique_key:
            self.unique[spec.unique_key] = spec.id

    def _enter(self, job_id: str) -> None:
        """Into the order of listings, where it may still stand from before."""
        ids = self._sorted_ids
        if not ids or job_id > ids[-1]:
            ids.append(job_id)
        elif ids[index := bisect_left(ids, job_id)] != job_id:
            ids.insert(index, job_id)

    def forget(self, job_id: str) -> None:
        """Drops a terminal job and the keys it holds."""
        record = self._records.pop(job_id)
        self.queue_of(record).by_state[record.state].drop(job_id)
        if record.spec.idempotency_key:
            del self.idempotent[record.spec.idempotency_key]
        if len(self._sorted_ids) > 2 * len(self._records) + 1_000:
            self._sorted_ids = sorted(self._records)

    def queue_up(self, record: JobRecord, now_us: int) -> None:
        """The job becomes pending, at the end of the line."""
        self._arrivals += 1
        record.place = (255 - record.spec.priority) * _STRATUM + self._arrivals
        self.resume(record, now_us)

    def resume(self, record: JobRecord, now_us: int) -> None:
        """The job becomes pending, in the place it has."""
        self.move(record, PENDING, record.place)
        record.ready_at_us = now_us

    def delay(self, record: JobRecord, state: v1.JobState.ValueType, due_at_us: int) -> None:
        """The job waits for its time."""
        self.move(record, state, due_at_us)
        record.due_at_us = due_at_us

    def end(self, record: JobRecord, state: v1.JobState.ValueType, now_us: int) -> None:
        """The job becomes terminal."""
        self.move(record, state, now_us)
        record.finished_at_us = now_us
        queue = self.queue_of(record)
        queue.completed += state == SUCCESS
        queue.failed += state in (FAILED, DEAD)
        if state in (SUCCESS, FAILED, DEAD):
            queue.count_ended(now_us)
        key = record.spec.unique_key
        if key and self.unique.get(key) == record.spec.id:
            del self.unique[key]

    def move(self, record: JobRecord, state: v1.JobState.ValueType, number: int) -> None:
        """Changes the state; *number* is what the jobs in it are ordered by."""
        job_id, by_state = record.spec.id, self.queue_of(record).by_state
        by_state[record.state].drop(job_id)
        by_state[state].put(job_id, number)
        record.state = state
        record.due_at_us = record.lease_until_us = 0
        if state in (SCHEDULED, RETRYING):
            self.due.put(job_id, number)
        else:
            self.due.drop(job_id)
        if state in WAITING and record.expires_at_us:
            self.expiring.put(job_id, record.expires_at_us)
        else:
            self.expiring.drop(job_id)
        if state not in TERMINAL:
            record.finished_at_us = 0
