"""The jobs of the memory backend: every transition, and the indexes that keep it cheap."""

import heapq
from bisect import bisect_left, insort
from collections.abc import Iterator

from gotask import v1
from gotask.jobs.ids import is_id
from gotask.jobs.states import (
    CANCELLED,
    DEAD,
    EXPIRED,
    FAILED,
    PENDING,
    RETRYABLE,
    RETRYING,
    RUNNING,
    SCHEDULED,
    SUCCESS,
    TERMINAL,
    WAITING,
    allowed,
)
from gotask.storage.contract import (
    Change,
    Claimed,
    DueJob,
    ExpiredLease,
    Finish,
    Finished,
    FinishStatus,
    Inserted,
    InsertStatus,
    JobFilter,
    Lease,
    LeaseStatus,
    Page,
    ProgressUpdate,
    QueuedJob,
    Slot,
    StorageError,
)
from gotask.storage.memory.listing import matches
from gotask.storage.memory.records import JobRecord, QueueRecord

_UNKNOWN = Change(False, v1.JOB_STATE_UNSPECIFIED)
_STALE = Finished(FinishStatus.STALE)


class JobTable:
    """All jobs and queues. Heaps hold garbage that is dropped when it comes up: an entry counts only while its job
    stands as the entry says."""

    def __init__(self) -> None:
        self.queues: dict[str, QueueRecord] = {}
        self._jobs: dict[str, JobRecord] = {}
        self._sorted_ids: list[str] = []
        self._due: list[tuple[int, str]] = []
        self._expiring: list[tuple[int, str]] = []
        self._idempotent: dict[str, str] = {}
        self._unique: dict[str, str] = {}
        self._arrivals = 0

    def get(self, job_id: str) -> JobRecord | None:
        return self._jobs.get(job_id)

    # The way of a job

    def insert(self, spec: v1.JobSpec, now_us: int) -> Inserted:
        existing = self._existing(spec)
        if existing is not None:
            return Inserted(InsertStatus.DUPLICATE, existing_id=existing)
        queue = self.queues.get(spec.queue)
        if queue is None:
            return Inserted(InsertStatus.QUEUE_UNKNOWN)
        if queue.queue.max_length and queue.count(*WAITING) >= queue.queue.max_length:
            return Inserted(InsertStatus.QUEUE_FULL)
        later = spec.scheduled_at_us > now_us
        stored = v1.JobSpec()
        stored.CopyFrom(spec)
        record = JobRecord(stored, spec.SerializeToString(), SCHEDULED if later else PENDING)
        record.place = (-spec.priority, 0)
        record.expires_at_us = spec.expires_at_us
        self._jobs[spec.id] = record
        insort(self._sorted_ids, spec.id)
        queue.ids(record.state).add(spec.id)
        if later:
            self._wait_until(record, spec.scheduled_at_us)
        else:
            self._queue_up(queue, record, now_us)
        if spec.expires_at_us:
            heapq.heappush(self._expiring, (spec.expires_at_us, spec.id))
        if spec.idempotency_key:
            self._idempotent[spec.idempotency_key] = spec.id
        if spec.unique_key:
            self._unique[spec.unique_key] = spec.id
        return Inserted(InsertStatus.CREATED, record.state)

    def _existing(self, spec: v1.JobSpec) -> str | None:
        if spec.id in self._jobs:
            return spec.id
        if spec.idempotency_key and (first := self._idempotent.get(spec.idempotency_key)):
            return first
        if spec.unique_key:
            return self._unique.get(spec.unique_key)
        return None

    def claim(self, slot: Slot, now_us: int, lease_until_us: int, expired: list[QueuedJob]) -> list[Claimed]:
        claimed: list[Claimed] = []
        for share in slot.shares:
            queue = self.queues.get(share.queue)
            if queue is None or queue.queue.paused:
                continue
            room = min(share.limit, slot.capacity - len(claimed), self._allowed_to_start(queue, now_us))
            while room > 0 and (record := self._next_in_line(queue, now_us, expired)) is not None:
                claimed.append(self._lease(queue, record, slot.worker, now_us, lease_until_us))
                room -= 1
        return claimed

    def _allowed_to_start(self, queue: QueueRecord, now_us: int) -> int:
        room = len(self._jobs)
        if queue.queue.max_workers:
            room = queue.queue.max_workers - queue.count(RUNNING)
        if queue.queue.rate_limit:
            queue.refill(now_us)
            room = min(room, int(queue.tokens))
        return room

    def _next_in_line(self, queue: QueueRecord, now_us: int, expired: list[QueuedJob]) -> JobRecord | None:
        while (record := self.first_in_line(queue)) is not None:
            heapq.heappop(queue.line)
            if record.expires_at_us and record.expires_at_us <= now_us:
                self._end(record, EXPIRED, now_us)
                expired.append(QueuedJob(record.spec.id, queue.queue.name))
                continue
            return record
        return None

    def first_in_line(self, queue: QueueRecord) -> JobRecord | None:
        """The pending job that is next, after dropping garbage."""
        while queue.line:
            place, job_id = queue.line[0]
            record = self._jobs.get(job_id)
            if record is not None and record.state == PENDING and record.place == place:
                return record
            heapq.heappop(queue.line)
        return None

    def _lease(self, queue: QueueRecord, record: JobRecord, worker: str, now_us: int, lease_until_us: int) -> Claimed:
        self._move(record, RUNNING)
        record.attempt += 1
        record.worker = worker
        record.started_at_us = now_us
        record.lease_until_us = lease_until_us
        if queue.queue.rate_limit:
            queue.tokens -= 1
        tries = record.attempt - record.forgiven
        return Claimed(record.spec.id, queue.queue.name, record.data, record.attempt, tries, record.ready_at_us)

    def finish(self, outcome: Finish, now_us: int) -> Finished:
        record = self._jobs.get(outcome.job_id)
        if record is None or record.attempt != outcome.attempt:
            return _STALE
        if record.state != RUNNING:
            repeated = record.state == outcome.state
            return Finished(FinishStatus.REPEATED, record.state) if repeated else _STALE
        state = outcome.state
        if record.cancel_requested and state in WAITING:
            state = CANCELLED
        if not allowed(RUNNING, state):
            raise StorageError(f"an attempt cannot end in state {state}")
        record.history += outcome.history
        record.forgiven += outcome.forgiven
        if state in TERMINAL:
            record.result = outcome.result
            self._end(record, state, now_us)
        else:
            self._wait_again(record, state, outcome.due_at_us, now_us)
        return Finished(FinishStatus.APPLIED, state)

    def _wait_again(self, record: JobRecord, state: v1.JobState.ValueType, due_at_us: int, now_us: int) -> None:
        self._move(record, state)
        record.lease_until_us = 0
        record.progress = b""
        if state == RETRYING:
            self._wait_until(record, due_at_us)
        else:
            record.ready_at_us = now_us
            heapq.heappush(self.queues[record.spec.queue].line, (record.place, record.spec.id))

    def extend(self, lease: Lease, until_us: int) -> LeaseStatus:
        record = self._held(lease.job_id, lease.attempt)
        if record is None:
            return LeaseStatus.LOST
        record.lease_until_us = until_us
        return LeaseStatus.CANCEL_REQUESTED if record.cancel_requested else LeaseStatus.EXTENDED

    def _held(self, job_id: str, attempt: int) -> JobRecord | None:
        record = self._jobs.get(job_id)
        if record is None or record.state != RUNNING or record.attempt != attempt:
            return None
        return record

    def expired_leases(self, now_us: int) -> list[ExpiredLease]:
        over = [record for record in self._in_state(RUNNING) if record.lease_until_us <= now_us]
        over.sort(key=lambda record: record.lease_until_us)
        return [ExpiredLease(record.spec.id, record.spec.queue, record.attempt, record.worker) for record in over]

    def _in_state(self, state: v1.JobState.ValueType) -> Iterator[JobRecord]:
        for queue in self.queues.values():
            for job_id in queue.ids(state):
                yield self._jobs[job_id]

    def due(self, now_us: int, limit: int) -> list[DueJob]:
        due: list[DueJob] = []
        while len(due) < limit and self._next_waiting(self._due) and self._due[0][0] <= now_us:
            due_at_us, job_id = heapq.heappop(self._due)
            due.append(DueJob(job_id, due_at_us))
        for job in due:
            heapq.heappush(self._due, (job.due_at_us, job.job_id))
        return due

    def next_due(self) -> int | None:
        return self._due[0][0] if self._next_waiting(self._due) else None

    def _next_waiting(self, heap: list[tuple[int, str]]) -> bool:
        while heap:
            due_at_us, job_id = heap[0]
            record = self._jobs.get(job_id)
            if record and record.state in (SCHEDULED, RETRYING) and record.due_at_us == due_at_us:
                return True
            heapq.heappop(heap)
        return False

    def release(self, job_id: str, now_us: int) -> Change:
        record = self._jobs.get(job_id)
        if record is None:
            return _UNKNOWN
        due = record.state in (SCHEDULED, RETRYING) and record.due_at_us <= now_us
        if due:
            self._move(record, PENDING)
            self._queue_up(self.queues[record.spec.queue], record, now_us)
        return Change(due, record.state, record.spec.queue)

    def expire(self, now_us: int, limit: int) -> list[QueuedJob]:
        expired: list[QueuedJob] = []
        while self._expiring and self._expiring[0][0] <= now_us and len(expired) < limit:
            _, job_id = heapq.heappop(self._expiring)
            record = self._jobs.get(job_id)
            if record is not None and record.expires_at_us and record.state in WAITING:
                self._end(record, EXPIRED, now_us)
                expired.append(QueuedJob(job_id, record.spec.queue))
        return expired

    # Commands

    def cancel(self, job_id: str, now_us: int) -> Change:
        record = self._jobs.get(job_id)
        if record is None:
            return _UNKNOWN
        changed = False
        if record.state in WAITING:
            self._end(record, CANCELLED, now_us)
            changed = True
        elif record.state == RUNNING and not record.cancel_requested:
            record.cancel_requested = changed = True
        return Change(changed, record.state, record.spec.queue, record.worker)

    def delete(self, job_id: str) -> Change:
        record = self._jobs.get(job_id)
        if record is None:
            return _UNKNOWN
        if record.state in TERMINAL:
            self.forget(job_id)
        return Change(record.state in TERMINAL, record.state, record.spec.queue)

    def retry(self, job_id: str, now_us: int) -> Change:
        record = self._jobs.get(job_id)
        if record is None:
            return _UNKNOWN
        if record.state not in RETRYABLE:
            return Change(False, record.state, record.spec.queue)
        self._move(record, PENDING)
        record.forgiven = record.attempt
        record.finished_at_us = 0
        record.cancel_requested = False
        record.expires_at_us = 0
        self._queue_up(self.queues[record.spec.queue], record, now_us)
        return Change(True, PENDING, record.spec.queue)

    def set_progress(self, update: ProgressUpdate) -> bool:
        record = self._held(update.job_id, update.attempt)
        if record is not None:
            record.progress = update.progress
        return record is not None

    # Reading and housekeeping

    def page(self, criteria: JobFilter, cursor: str, limit: int) -> Page:
        if cursor and not is_id(cursor):
            raise ValueError(f"not a cursor: {cursor!r}")
        end = bisect_left(self._sorted_ids, cursor) if cursor else len(self._sorted_ids)
        jobs: list[v1.Job] = []
        for index in range(end - 1, -1, -1):
            record = self._jobs.get(self._sorted_ids[index])
            if record is None or not matches(record, criteria):
                continue
            if len(jobs) == limit:
                return Page(jobs, jobs[-1].spec.id)
            jobs.append(record.to_job())
        return Page(jobs, "")

    def prune(self, now_us: int, limit: int) -> int:
        pruned = 0
        for queue in self.queues.values():
            ages = (queue.queue.retention_success_us, queue.queue.retention_other_us)
            for kept, retention_us in zip(queue.kept, ages, strict=True):
                while kept and kept[0][0] + retention_us <= now_us and pruned < limit:
                    finished_at_us, job_id = kept.popleft()
                    record = self._jobs.get(job_id)
                    if record is not None and record.state in TERMINAL and record.finished_at_us == finished_at_us:
                        self.forget(job_id)
                        pruned += 1
        return pruned

    def forget(self, job_id: str) -> None:
        """Drops a job and the keys it holds."""
        record = self._jobs.pop(job_id)
        spec = record.spec
        self.queues[spec.queue].ids(record.state).discard(job_id)
        if spec.idempotency_key and self._idempotent.get(spec.idempotency_key) == job_id:
            del self._idempotent[spec.idempotency_key]
        self._release_unique_key(record)
        if len(self._sorted_ids) > 2 * len(self._jobs) + 1_000:
            self._sorted_ids = sorted(self._jobs)

    # Transitions

    def _move(self, record: JobRecord, state: v1.JobState.ValueType) -> None:
        queue = self.queues[record.spec.queue]
        queue.ids(record.state).discard(record.spec.id)
        queue.ids(state).add(record.spec.id)
        record.state = state

    def _queue_up(self, queue: QueueRecord, record: JobRecord, now_us: int) -> None:
        self._arrivals += 1
        record.place = (-record.spec.priority, self._arrivals)
        record.ready_at_us = now_us
        record.due_at_us = 0
        heapq.heappush(queue.line, (record.place, record.spec.id))
        queue.compact(self._jobs)

    def _wait_until(self, record: JobRecord, due_at_us: int) -> None:
        record.due_at_us = due_at_us
        heapq.heappush(self._due, (due_at_us, record.spec.id))

    def _end(self, record: JobRecord, state: v1.JobState.ValueType, now_us: int) -> None:
        self._move(record, state)
        record.finished_at_us = now_us
        record.lease_until_us = record.due_at_us = 0
        queue = self.queues[record.spec.queue]
        queue.kept[state != SUCCESS].append((now_us, record.spec.id))
        queue.completed += state == SUCCESS
        queue.failed += state in (FAILED, DEAD)
        if state in (SUCCESS, FAILED, DEAD):
            queue.record_finished(now_us)
        self._release_unique_key(record)

    def _release_unique_key(self, record: JobRecord) -> None:
        key = record.spec.unique_key
        if key and self._unique.get(key) == record.spec.id:
            del self._unique[key]
