"""The queues of the memory backend."""

from collections.abc import Sequence

from gotask import v1
from gotask.jobs.states import DEAD, PENDING, RETRYING, RUNNING, SCHEDULED, TERMINAL
from gotask.storage.contract import DeleteQueueStatus
from gotask.storage.memory.jobs import Jobs
from gotask.storage.memory.records import QueueRecord


def create(jobs: Jobs, queue: v1.Queue) -> bool:
    if queue.name in jobs.queues:
        return False
    jobs.queues[queue.name] = QueueRecord(_copy(queue))
    return True


def update(jobs: Jobs, queue: v1.Queue) -> bool:
    record = jobs.queues.get(queue.name)
    if record is None:
        return False
    updated = _copy(queue)
    updated.paused = record.queue.paused
    updated.created_at_us = record.queue.created_at_us
    record.queue = updated
    return True


def set_paused(jobs: Jobs, name: str, paused: bool, now_us: int) -> bool:
    record = jobs.queues.get(name)
    if record is None:
        return False
    if record.queue.paused != paused:
        record.queue.paused = paused
        record.queue.updated_at_us = now_us
    return True


def get(jobs: Jobs, names: Sequence[str] | None) -> list[v1.Queue]:
    wanted = jobs.queues if names is None else set(names)
    return [_copy(jobs.queues[name].queue) for name in sorted(wanted) if name in jobs.queues]


def delete(jobs: Jobs, name: str) -> DeleteQueueStatus:
    record = jobs.queues.get(name)
    if record is None:
        return DeleteQueueStatus.UNKNOWN
    if record.count(SCHEDULED, PENDING, RETRYING, RUNNING):
        return DeleteQueueStatus.NOT_EMPTY
    for state in TERMINAL:
        for job_id in record.by_state[state].ids():
            jobs.forget(job_id)
    del jobs.queues[name]
    return DeleteQueueStatus.DELETED


def stats(jobs: Jobs, name: str, now_us: int) -> v1.QueueStats:
    record = jobs.queues.get(name)
    if record is None:
        return v1.QueueStats(name=name)
    first = record.by_state[PENDING].first()
    next_in_line = jobs[first[1]] if first else None
    return v1.QueueStats(
        name=name,
        pending=record.count(PENDING),
        running=record.count(RUNNING),
        scheduled=record.count(SCHEDULED),
        retrying=record.count(RETRYING),
        dead=record.count(DEAD),
        completed_total=record.completed,
        failed_total=record.failed,
        finished_last_minute=record.ended_last_minute(now_us),
        oldest_ready_at_us=next_in_line.ready_at_us if next_in_line else 0,
        paused=record.queue.paused,
    )


def _copy(queue: v1.Queue) -> v1.Queue:
    copy = v1.Queue()
    copy.CopyFrom(queue)
    return copy
