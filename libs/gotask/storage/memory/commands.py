"""What happens to jobs otherwise: release, cancel, delete, retry, expire, prune."""

from gotask import v1
from gotask.jobs.states import (
    CANCELLED,
    EXPIRED,
    PENDING,
    RETRYABLE,
    RETRYING,
    RUNNING,
    SCHEDULED,
    SUCCESS,
    TERMINAL,
    WAITING,
)
from gotask.storage.contract import Change, QueuedJob
from gotask.storage.memory.jobs import Jobs
from gotask.storage.memory.records import JobRecord

_UNKNOWN = Change(changed=False, state=v1.JOB_STATE_UNSPECIFIED)


def _change(record: JobRecord, changed: bool) -> Change:
    worker = record.worker if record.state == RUNNING else ""
    return Change(changed, record.state, record.spec.queue, worker)


def release(jobs: Jobs, job_id: str, now_us: int) -> Change:
    record = jobs.get(job_id)
    if record is None:
        return _UNKNOWN
    due = record.state in (SCHEDULED, RETRYING) and record.due_at_us <= now_us
    if due:
        jobs.queue_up(record, now_us)
    return _change(record, due)


def cancel(jobs: Jobs, job_id: str, now_us: int) -> Change:
    record = jobs.get(job_id)
    if record is None:
        return _UNKNOWN
    changed = False
    if record.state in WAITING:
        jobs.end(record, CANCELLED, now_us)
        changed = True
    elif record.state == RUNNING and not record.cancel_requested:
        record.cancel_requested = changed = True
    return _change(record, changed)


def cancel_waiting(jobs: Jobs, queue: str, now_us: int, limit: int) -> list[str]:
    cancelled: list[str] = []
    record = jobs.queues.get(queue)
    if record is None:
        return cancelled
    for state in (PENDING, SCHEDULED, RETRYING):
        while len(cancelled) < limit and (first := record.by_state[state].first()) is not None:
            jobs.end(jobs[first[1]], CANCELLED, now_us)
            cancelled.append(first[1])
    return cancelled


def delete(jobs: Jobs, job_id: str) -> Change:
    record = jobs.get(job_id)
    if record is None:
        return _UNKNOWN
    if record.state in TERMINAL:
        jobs.forget(job_id)
    return _change(record, record.state in TERMINAL)


def retry(jobs: Jobs, job_id: str, now_us: int) -> Change:
    record = jobs.get(job_id)
    if record is None:
        return _UNKNOWN
    key = record.spec.unique_key
    if record.state not in RETRYABLE or (key and key in jobs.unique):
        return _change(record, changed=False)
    if key:
        jobs.unique[key] = job_id
    record.forgiven = record.attempt
    record.cancel_requested = False
    record.expires_at_us = 0
    record.progress = b""
    jobs.queue_up(record, now_us)
    return _change(record, changed=True)


def expire(jobs: Jobs, now_us: int, limit: int) -> list[QueuedJob]:
    expired = []
    for _, job_id in jobs.expiring.up_to(now_us, limit):
        record = jobs[job_id]
        jobs.end(record, EXPIRED, now_us)
        expired.append(QueuedJob(job_id, record.spec.queue))
    return expired


def prune(jobs: Jobs, now_us: int, limit: int) -> int:
    left = limit
    for queue in jobs.queues.values():
        for state in sorted(TERMINAL):
            success = state == SUCCESS
            retention_us = queue.queue.retention_success_us if success else queue.queue.retention_other_us
            over = queue.by_state[state].up_to(now_us - retention_us, left)
            for _, job_id in over:
                jobs.forget(job_id)
            left -= len(over)
    return limit - left
