"""From the line to a worker and back: insert, claim, finish, leases."""

from gotask import v1
from gotask.jobs.states import CANCELLED, EXPIRED, PENDING, RETRYING, RUNNING, SCHEDULED, SUCCESS, WAITING
from gotask.storage.contract import (
    Claimed,
    ExpiredLease,
    Finish,
    Finished,
    FinishStatus,
    Inserted,
    InsertStatus,
    Lease,
    LeaseStatus,
    QueuedJob,
    Slot,
)
from gotask.storage.memory.jobs import Jobs
from gotask.storage.memory.records import JobRecord, QueueRecord
from gotask.storage.memory.schedules import Schedules

_STALE = Finished(FinishStatus.STALE)


def insert(jobs: Jobs, schedules: Schedules, spec: v1.JobSpec, now_us: int) -> Inserted:
    if (existing := _existing(jobs, spec)) is not None:
        schedules.close(spec.id)
        return Inserted(InsertStatus.DUPLICATE, existing_id=existing)
    if spec.schedule_id and not schedules.is_open(spec.id):
        return Inserted(InsertStatus.DUPLICATE, existing_id=spec.id)
    queue = jobs.queues.get(spec.queue)
    if queue is None:
        return Inserted(InsertStatus.QUEUE_UNKNOWN)
    if queue.queue.max_length and queue.count(*WAITING) >= queue.queue.max_length:
        return Inserted(InsertStatus.QUEUE_FULL)
    stored = v1.JobSpec()
    stored.CopyFrom(spec)
    record = JobRecord(stored, v1.JOB_STATE_UNSPECIFIED, spec.expires_at_us)
    jobs.add(record)
    schedules.close(spec.id)
    if spec.scheduled_at_us > now_us:
        jobs.delay(record, SCHEDULED, spec.scheduled_at_us)
    else:
        jobs.queue_up(record, now_us)
    return Inserted(InsertStatus.CREATED, record.state)


def _existing(jobs: Jobs, spec: v1.JobSpec) -> str | None:
    if jobs.get(spec.id) is not None:
        return spec.id
    if spec.idempotency_key and (first := jobs.idempotent.get(spec.idempotency_key)):
        return first
    return jobs.unique.get(spec.unique_key) if spec.unique_key else None


def claim(jobs: Jobs, slot: Slot, now_us: int, lease_until_us: int, expired: list[QueuedJob]) -> list[Claimed]:
    """What one slot gets; jobs found to be over are added to *expired*."""
    claimed: list[Claimed] = []
    for name, limit in slot.shares:
        queue = jobs.queues.get(name)
        if queue is None or queue.queue.paused:
            continue
        wanted = _room(queue, now_us, min(limit, slot.capacity - len(claimed)))
        taken = 0
        while taken < wanted and (record := _next_in_line(jobs, queue, now_us, expired)) is not None:
            claimed.append(_lease(jobs, record, slot.worker, now_us, lease_until_us))
            taken += 1
        if taken and queue.queue.rate_limit:
            queue.take_tokens(taken, now_us)
    return claimed


def _room(queue: QueueRecord, now_us: int, wanted: int) -> int:
    if queue.queue.max_workers:
        wanted = min(wanted, queue.queue.max_workers - queue.count(RUNNING))
    if queue.queue.rate_limit:
        wanted = min(wanted, int(queue.tokens_now(now_us)))
    return wanted


def _next_in_line(jobs: Jobs, queue: QueueRecord, now_us: int, expired: list[QueuedJob]) -> JobRecord | None:
    while (first := queue.by_state[PENDING].first()) is not None:
        record = jobs[first[1]]
        if not record.expires_at_us or record.expires_at_us > now_us:
            return record
        jobs.end(record, EXPIRED, now_us)
        expired.append(QueuedJob(record.spec.id, record.spec.queue))
    return None


def _lease(jobs: Jobs, record: JobRecord, worker: str, now_us: int, lease_until_us: int) -> Claimed:
    jobs.move(record, RUNNING, lease_until_us)
    record.lease_until_us = lease_until_us
    record.attempt += 1
    record.worker = worker
    record.started_at_us = now_us
    spec = record.spec
    tries = record.attempt - record.forgiven
    return Claimed(spec.id, spec.queue, spec.SerializeToString(), record.attempt, tries, record.ready_at_us)


def finish(jobs: Jobs, outcome: Finish, now_us: int) -> Finished:
    record = jobs.get(outcome.job_id)
    if record is None or record.attempt != outcome.attempt:
        return _STALE
    state = CANCELLED if record.cancel_requested and outcome.state in WAITING else outcome.state
    if record.state != RUNNING:
        return Finished(FinishStatus.REPEATED, state) if record.state == state else _STALE
    record.history += outcome.history
    record.forgiven += outcome.forgiven
    if state == PENDING:
        record.progress = b""
        jobs.resume(record, now_us)
    elif state == RETRYING:
        record.progress = b""
        jobs.delay(record, RETRYING, outcome.due_at_us)
    else:
        record.result = outcome.result if state == SUCCESS else b""
        jobs.end(record, state, now_us)
    return Finished(FinishStatus.APPLIED, state)


def extend(jobs: Jobs, lease: Lease, until_us: int) -> LeaseStatus:
    record = jobs.held(lease.job_id, lease.attempt)
    if record is None:
        return LeaseStatus.LOST
    record.lease_until_us = until_us
    jobs.queue_of(record).by_state[RUNNING].put(lease.job_id, until_us)
    return LeaseStatus.CANCEL_REQUESTED if record.cancel_requested else LeaseStatus.EXTENDED


def expired_leases(jobs: Jobs, now_us: int, limit: int) -> list[ExpiredLease]:
    over = [entry for queue in jobs.queues.values() for entry in queue.by_state[RUNNING].up_to(now_us, limit)]
    records = [jobs[job_id] for _, job_id in sorted(over)[:limit]]
    return [ExpiredLease(record.spec.id, record.spec.queue, record.attempt, record.worker) for record in records]
