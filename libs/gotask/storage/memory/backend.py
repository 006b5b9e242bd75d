"""The memory backend's calls: no call awaits anything, so each is atomic on its event loop."""

from collections.abc import Sequence

from gotask import v1
from gotask.jobs.states import (
    DEAD,
    PENDING,
    RETRYING,
    RUNNING,
    SCHEDULED,
    TERMINAL,
)
from gotask.storage.contract import (
    Change,
    Claims,
    DeleteQueueStatus,
    DueJob,
    ExpiredLease,
    Finish,
    Finished,
    Inserted,
    JobFilter,
    Lease,
    LeaseStatus,
    Page,
    ProgressUpdate,
    QueuedJob,
    Slot,
    Storage,
)
from gotask.storage.memory.records import QueueRecord
from gotask.storage.memory.schedules import Schedules
from gotask.storage.memory.table import JobTable


class MemoryStorage(Storage):
    """Storage for one process. Not for separate services: each would have its own."""

    def __init__(self) -> None:
        self._jobs = JobTable()
        self._schedules = Schedules()
        self._workers: dict[str, tuple[int, v1.WorkerInfo]] = {}

    async def open(self) -> None:
        return

    async def close(self) -> None:
        return

    async def ping(self) -> None:
        return

    async def insert_jobs(self, specs: Sequence[v1.JobSpec], now_us: int) -> list[Inserted]:
        return [self._jobs.insert(spec, now_us) for spec in specs]

    async def claim(self, slots: Sequence[Slot], now_us: int, lease_until_us: int) -> Claims:
        expired: list[QueuedJob] = []
        jobs = [self._jobs.claim(slot, now_us, lease_until_us, expired) for slot in slots]
        return Claims(jobs, expired)

    async def finish(self, outcomes: Sequence[Finish], now_us: int) -> list[Finished]:
        return [self._jobs.finish(outcome, now_us) for outcome in outcomes]

    async def extend_leases(self, leases: Sequence[Lease], until_us: Sequence[int]) -> list[LeaseStatus]:
        return [self._jobs.extend(lease, until) for lease, until in zip(leases, until_us, strict=True)]

    async def expired_leases(self, now_us: int, limit: int) -> list[ExpiredLease]:
        return self._jobs.expired_leases(now_us)[:limit]

    async def due_jobs(self, now_us: int, limit: int) -> list[DueJob]:
        return self._jobs.due(now_us, limit)

    async def next_due(self) -> int | None:
        return self._jobs.next_due()

    async def release(self, job_ids: Sequence[str], now_us: int) -> list[Change]:
        return [self._jobs.release(job_id, now_us) for job_id in job_ids]

    async def expire_jobs(self, now_us: int, limit: int) -> list[QueuedJob]:
        return self._jobs.expire(now_us, limit)

    async def cancel(self, job_ids: Sequence[str], now_us: int) -> list[Change]:
        return [self._jobs.cancel(job_id, now_us) for job_id in job_ids]

    async def delete(self, job_ids: Sequence[str]) -> list[Change]:
        return [self._jobs.delete(job_id) for job_id in job_ids]

    async def retry(self, job_ids: Sequence[str], now_us: int) -> list[Change]:
        return [self._jobs.retry(job_id, now_us) for job_id in job_ids]

    async def set_progress(self, updates: Sequence[ProgressUpdate]) -> list[bool]:
        return [self._jobs.set_progress(update) for update in updates]

    async def get_jobs(self, job_ids: Sequence[str]) -> list[v1.Job | None]:
        return [record.to_job() if (record := self._jobs.get(job_id)) else None for job_id in job_ids]

    async def list_jobs(self, criteria: JobFilter, cursor: str, limit: int) -> Page:
        return self._jobs.page(criteria, cursor, limit)

    async def create_queue(self, queue: v1.Queue) -> bool:
        if queue.name in self._jobs.queues:
            return False
        self._jobs.queues[queue.name] = QueueRecord(_copy(queue))
        return True

    async def update_queue(self, queue: v1.Queue) -> bool:
        record = self._jobs.queues.get(queue.name)
        if record is None:
            return False
        updated = _copy(queue)
        updated.paused = record.queue.paused
        updated.created_at_us = record.queue.created_at_us
        record.queue = updated
        return True

    async def set_paused(self, name: str, paused: bool, now_us: int) -> bool:
        record = self._jobs.queues.get(name)
        if record is None:
            return False
        if record.queue.paused != paused:
            record.queue.paused = paused
            record.queue.updated_at_us = now_us
        return True

    async def get_queues(self, names: Sequence[str] | None = None) -> list[v1.Queue]:
        known = self._jobs.queues
        wanted = known if names is None else set(names)
        return [_copy(known[name].queue) for name in sorted(wanted) if name in known]

    async def delete_queue(self, name: str) -> DeleteQueueStatus:
        record = self._jobs.queues.get(name)
        if record is None:
            return DeleteQueueStatus.UNKNOWN
        if record.count(SCHEDULED, PENDING, RETRYING, RUNNING):
            return DeleteQueueStatus.NOT_EMPTY
        for state in TERMINAL:
            for job_id in list(record.ids(state)):
                self._jobs.forget(job_id)
        del self._jobs.queues[name]
        return DeleteQueueStatus.DELETED

    async def queue_stats(self, names: Sequence[str], now_us: int) -> list[v1.QueueStats]:
        return [self._stats(name, now_us) for name in names]

    def _stats(self, name: str, now_us: int) -> v1.QueueStats:
        record = self._jobs.queues.get(name)
        if record is None:
            return v1.QueueStats(name=name)
        first = self._jobs.first_in_line(record)
        return v1.QueueStats(
            name=name,
            pending=record.count(PENDING),
            running=record.count(RUNNING),
            scheduled=record.count(SCHEDULED),
            retrying=record.count(RETRYING),
            dead=record.count(DEAD),
            completed_total=record.completed,
            failed_total=record.failed,
            finished_last_minute=record.finished_last_minute(now_us),
            oldest_ready_at_us=first.ready_at_us if first else 0,
            paused=record.queue.paused,
        )

    async def create_schedule(self, schedule: v1.Schedule) -> bool:
        return self._schedules.create(schedule)

    async def update_schedule(self, schedule: v1.Schedule) -> bool:
        return self._schedules.update(schedule)

    async def get_schedules(self, schedule_ids: Sequence[str] | None = None) -> list[v1.Schedule]:
        return self._schedules.get(schedule_ids)

    async def delete_schedule(self, schedule_id: str) -> bool:
        return self._schedules.delete(schedule_id)

    async def due_schedules(self, now_us: int, limit: int) -> list[v1.Schedule]:
        return self._schedules.due(now_us, limit)

    async def advance_schedule(
        self, schedule_id: str, expected_us: int, next_us: int, fires: Sequence[v1.Fire]
    ) -> bool:
        return self._schedules.advance(schedule_id, expected_us, next_us, fires)

    async def put_workers(self, workers: Sequence[v1.WorkerInfo], expires_at_us: int) -> None:
        for worker in workers:
            kept = v1.WorkerInfo()
            kept.CopyFrom(worker)
            self._workers[worker.id] = (expires_at_us, kept)

    async def delete_worker(self, worker_id: str) -> None:
        self._workers.pop(worker_id, None)

    async def list_workers(self, now_us: int) -> list[v1.WorkerInfo]:
        self._workers = {key: entry for key, entry in self._workers.items() if entry[0] > now_us}
        return [worker for _, (_, worker) in sorted(self._workers.items())]

    async def prune(self, now_us: int, limit: int) -> int:
        return self._jobs.prune(now_us, limit)


def _copy(queue: v1.Queue) -> v1.Queue:
    copy = v1.Queue()
    copy.CopyFrom(queue)
    return copy
