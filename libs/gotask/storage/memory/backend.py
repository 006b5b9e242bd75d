"""The memory backend's calls: none awaits anything before its work is done, so each is atomic on its event loop."""

import asyncio
from collections.abc import Sequence

from gotask import v1
from gotask.storage.checks import check_outcomes
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
    OpenFire,
    Page,
    ProgressUpdate,
    QueuedJob,
    ScheduleChange,
    ScheduleStatus,
    Slot,
    Storage,
)
from gotask.storage.memory import commands, listing, queues, running
from gotask.storage.memory.jobs import Jobs
from gotask.storage.memory.schedules import Schedules
from gotask.storage.memory.workers import Workers


class MemoryStorage(Storage):
    """Storage for one process. Not for separate services: each would have its own."""

    def __init__(self) -> None:
        self._jobs = Jobs()
        self._schedules = Schedules()
        self._workers = Workers()

    async def open(self) -> None:
        return

    async def close(self) -> None:
        return

    async def ping(self) -> None:
        return

    async def insert_jobs(self, specs: Sequence[v1.JobSpec], now_us: int) -> list[Inserted]:
        return [running.insert(self._jobs, self._schedules, spec, now_us) for spec in specs]

    async def claim(self, slots: Sequence[Slot], now_us: int, lease_until_us: int) -> Claims:
        expired: list[QueuedJob] = []
        jobs = [running.claim(self._jobs, slot, now_us, lease_until_us, expired) for slot in slots]
        return Claims(jobs, expired)

    async def finish(self, outcomes: Sequence[Finish], now_us: int) -> list[Finished]:
        check_outcomes(outcomes)
        return [running.finish(self._jobs, outcome, now_us) for outcome in outcomes]

    async def extend_leases(self, leases: Sequence[Lease], until_us: Sequence[int]) -> list[LeaseStatus]:
        return [running.extend(self._jobs, lease, until) for lease, until in zip(leases, until_us, strict=True)]

    async def expired_leases(self, now_us: int, limit: int) -> list[ExpiredLease]:
        return running.expired_leases(self._jobs, now_us, limit)

    async def due_jobs(self, now_us: int, limit: int) -> list[DueJob]:
        return [DueJob(job_id, due_at_us) for due_at_us, job_id in self._jobs.due.up_to(now_us, limit)]

    async def next_due(self) -> int | None:
        first = self._jobs.due.first()
        return first[0] if first else None

    async def release(self, job_ids: Sequence[str], now_us: int) -> list[Change]:
        return [commands.release(self._jobs, job_id, now_us) for job_id in job_ids]

    async def expire_jobs(self, now_us: int, limit: int) -> list[QueuedJob]:
        expired = commands.expire(self._jobs, now_us, limit)
        await _let_others_in()
        return expired

    async def cancel(self, job_ids: Sequence[str], now_us: int) -> list[Change]:
        return [commands.cancel(self._jobs, job_id, now_us) for job_id in job_ids]

    async def cancel_waiting(self, queue: str, now_us: int, limit: int) -> list[str]:
        cancelled = commands.cancel_waiting(self._jobs, queue, now_us, limit)
        await _let_others_in()
        return cancelled

    async def delete(self, job_ids: Sequence[str]) -> list[Change]:
        return [commands.delete(self._jobs, job_id) for job_id in job_ids]

    async def retry(self, job_ids: Sequence[str], now_us: int) -> list[Change]:
        return [commands.retry(self._jobs, job_id, now_us) for job_id in job_ids]

    async def set_progress(self, updates: Sequence[ProgressUpdate]) -> list[bool]:
        recorded = []
        for job_id, attempt, progress in updates:
            if (record := self._jobs.held(job_id, attempt)) is not None:
                record.progress = progress
            recorded.append(record is not None)
        return recorded

    async def get_jobs(self, job_ids: Sequence[str]) -> list[v1.Job | None]:
        return [record.to_job() if (record := self._jobs.get(job_id)) else None for job_id in job_ids]

    async def list_jobs(self, criteria: JobFilter, cursor: str, limit: int) -> Page:
        return listing.page(self._jobs, criteria, cursor, limit)

    async def create_queue(self, queue: v1.Queue) -> bool:
        return queues.create(self._jobs, queue)

    async def update_queue(self, queue: v1.Queue) -> bool:
        return queues.update(self._jobs, queue)

    async def set_paused(self, name: str, paused: bool, now_us: int) -> bool:
        return queues.set_paused(self._jobs, name, paused, now_us)

    async def get_queues(self, names: Sequence[str] | None = None) -> list[v1.Queue]:
        return queues.get(self._jobs, names)

    async def delete_queue(self, name: str) -> DeleteQueueStatus:
        return queues.delete(self._jobs, name)

    async def queue_stats(self, names: Sequence[str], now_us: int) -> list[v1.QueueStats]:
        return [queues.stats(self._jobs, name, now_us) for name in names]

    async def create_schedule(self, schedule: v1.Schedule) -> bool:
        return self._schedules.create(schedule)

    async def change_schedules(self, changes: Sequence[ScheduleChange], offer_at_us: int) -> list[ScheduleStatus]:
        return [self._schedules.change(change, offer_at_us) for change in changes]

    async def get_schedules(self, schedule_ids: Sequence[str]) -> list[v1.Schedule]:
        return self._schedules.get(schedule_ids)

    async def list_schedules(self, after: str, limit: int) -> list[v1.Schedule]:
        return self._schedules.page(after, limit)

    async def delete_schedule(self, schedule_id: str) -> bool:
        return self._schedules.delete(schedule_id)

    async def take_schedules(self, now_us: int, until_us: int, limit: int) -> list[v1.Schedule]:
        return self._schedules.take(now_us, until_us, limit)

    async def take_fires(self, now_us: int, wait_us: int, limit: int) -> list[OpenFire]:
        return self._schedules.take_fires(now_us, wait_us, limit)

    async def fires_open(self, job_ids: Sequence[str]) -> list[bool]:
        return [self._schedules.is_open(job_id) for job_id in job_ids]

    async def next_fire(self) -> int | None:
        return self._schedules.next_fire()

    async def put_workers(self, workers: Sequence[v1.WorkerInfo], expires_at_us: int) -> None:
        self._workers.put(workers, expires_at_us)

    async def list_workers(self, now_us: int) -> list[v1.WorkerInfo]:
        return self._workers.live(now_us)

    async def prune(self, now_us: int, limit: int) -> int:
        pruned = commands.prune(self._jobs, now_us, limit)
        await _let_others_in()
        return pruned


async def _let_others_in() -> None:
    """Whoever repeats a call until there is no more to do would keep the loop to themselves."""
    await asyncio.sleep(0)
