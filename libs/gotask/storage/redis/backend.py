"""The Redis backend: each call runs one script of ``lua/``."""

from collections.abc import Sequence
from typing import Any

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
from gotask.storage.redis import claiming, finishing, listing, queues
from gotask.storage.redis.address import parse_address
from gotask.storage.redis.client import Client
from gotask.storage.redis.insertion import Insertion
from gotask.storage.redis.opening import prepare
from gotask.storage.redis.records import job_of, token
from gotask.storage.redis.schedules import Schedules

_STEP = 500
"""Jobs that one script forgets: the server serves nobody else meanwhile."""


class RedisStorage(Storage):
    """Storage in Redis 6.2 or newer, or Valkey. All keys begin with ``{namespace}:``, so that they share a slot.

    *address* is ``host:port``, a URL, or Sentinels and a master's name: see :mod:`gotask.storage.redis.address`.
    ValueError for an address that is none of these.
    """

    def __init__(self, address: str, namespace: str) -> None:
        self._prefix = f"{{{namespace}}}:"
        self._client = Client(parse_address(address), self._prefix)
        self._schedules = Schedules(self._client)

    async def open(self) -> None:
        """StorageError when the server is too old, could drop jobs, or holds data of another version."""
        await prepare(self._client, self._prefix)

    async def close(self) -> None:
        await self._client.close()

    async def ping(self) -> None:
        await self._client.command("PING")

    async def insert_jobs(self, specs: Sequence[v1.JobSpec], now_us: int) -> list[Inserted]:
        insertion = Insertion(specs, now_us)
        return insertion.results(await self._client.run("insert", *insertion.arguments()))

    async def claim(self, slots: Sequence[Slot], now_us: int, lease_until_us: int) -> Claims:
        names, args = claiming.arguments(slots, now_us, lease_until_us)
        return claiming.claims(names, await self._client.run("claim", *args))

    async def finish(self, outcomes: Sequence[Finish], now_us: int) -> list[Finished]:
        check_outcomes(outcomes)
        args = finishing.arguments(outcomes, now_us)
        return finishing.results(await self._client.run("finish", *args))

    async def extend_leases(self, leases: Sequence[Lease], until_us: Sequence[int]) -> list[LeaseStatus]:
        args: list[Any] = []
        for lease, until in zip(leases, until_us, strict=True):
            args += (lease.job_id, token(lease.attempt), until)
        return [LeaseStatus(status) for status in await self._client.run("extend", *args)]

    async def expired_leases(self, now_us: int, limit: int) -> list[ExpiredLease]:
        return [
            ExpiredLease(job_id.decode(), queue.decode(), attempt, worker.decode())
            for job_id, queue, attempt, worker in await self._client.run("expired_leases", now_us, limit)
        ]

    async def due_jobs(self, now_us: int, limit: int) -> list[DueJob]:
        key = f"{self._prefix}due"
        found = await self._client.command("ZRANGEBYSCORE", key, "-inf", now_us, "WITHSCORES", "LIMIT", 0, limit)
        return [DueJob(found[i].decode(), int(float(found[i + 1]))) for i in range(0, len(found), 2)]

    async def next_due(self) -> int | None:
        first = await self._client.command("ZRANGE", f"{self._prefix}due", 0, 0, "WITHSCORES")
        return int(float(first[1])) if first else None

    async def release(self, job_ids: Sequence[str], now_us: int) -> list[Change]:
        return _changes(await self._client.run("release", now_us, *job_ids))

    async def expire_jobs(self, now_us: int, limit: int) -> list[QueuedJob]:
        expired = await self._client.run("expire", now_us, limit)
        return [QueuedJob(job_id.decode(), queue.decode()) for job_id, queue in expired]

    async def cancel(self, job_ids: Sequence[str], now_us: int) -> list[Change]:
        return _changes(await self._client.run("cancel", now_us, *job_ids))

    async def cancel_waiting(self, queue: str, now_us: int, limit: int) -> list[str]:
        return [job_id.decode() for job_id in await self._client.run("purge", now_us, queue, limit)]

    async def delete(self, job_ids: Sequence[str]) -> list[Change]:
        return _changes(await self._client.run("delete", *job_ids))

    async def retry(self, job_ids: Sequence[str], now_us: int) -> list[Change]:
        return _changes(await self._client.run("retry", now_us, *job_ids))

    async def set_progress(self, updates: Sequence[ProgressUpdate]) -> list[bool]:
        args: list[Any] = []
        for update in updates:
            args += (update.job_id, token(update.attempt), update.progress)
        return [bool(recorded) for recorded in await self._client.run("progress", *args)]

    async def get_jobs(self, job_ids: Sequence[str]) -> list[v1.Job | None]:
        return [job_of(row) if row else None for row in await self._client.run("get", *job_ids)]

    async def list_jobs(self, criteria: JobFilter, cursor: str, limit: int) -> Page:
        return await listing.page(self._client, criteria, cursor, limit)

    async def create_queue(self, queue: v1.Queue) -> bool:
        return bool(await self._client.run("queue_create", *queues.creation(queue)))

    async def update_queue(self, queue: v1.Queue) -> bool:
        return bool(await self._client.run("queue_update", *queues.settings(queue)))

    async def set_paused(self, name: str, paused: bool, now_us: int) -> bool:
        return bool(await self._client.run("queue_pause", name, int(paused), now_us))

    async def get_queues(self, names: Sequence[str] | None = None) -> list[v1.Queue]:
        if names is not None and not names:
            return []
        rows = await self._client.run("queue_get", *sorted(set(names or ())))
        return [queues.queue_of(row) for row in rows]

    async def delete_queue(self, name: str) -> DeleteQueueStatus:
        status = DeleteQueueStatus(await self._client.run("queue_delete", name))
        if status is DeleteQueueStatus.DELETED:
            while await self._client.run("empty_trash", _STEP):
                pass
        return status

    async def queue_stats(self, names: Sequence[str], now_us: int) -> list[v1.QueueStats]:
        rows = await self._client.run("stats", now_us, *names)
        return [queues.stats_of(name, row) for name, row in zip(names, rows, strict=True)]

    async def create_schedule(self, schedule: v1.Schedule) -> bool:
        return await self._schedules.create(schedule)

    async def change_schedules(self, changes: Sequence[ScheduleChange], offer_at_us: int) -> list[ScheduleStatus]:
        return await self._schedules.change(changes, offer_at_us)

    async def get_schedules(self, schedule_ids: Sequence[str]) -> list[v1.Schedule]:
        return await self._schedules.get(schedule_ids)

    async def list_schedules(self, after: str, limit: int) -> list[v1.Schedule]:
        return await self._schedules.page(after, limit)

    async def delete_schedule(self, schedule_id: str) -> bool:
        return await self._schedules.delete(schedule_id)

    async def take_schedules(self, now_us: int, until_us: int, limit: int) -> list[v1.Schedule]:
        return await self._schedules.take(now_us, until_us, limit)

    async def take_fires(self, now_us: int, wait_us: int, limit: int) -> list[OpenFire]:
        return await self._schedules.take_fires(now_us, wait_us, limit)

    async def fires_open(self, job_ids: Sequence[str]) -> list[bool]:
        return await self._schedules.fires_open(job_ids)

    async def next_fire(self) -> int | None:
        return await self._schedules.next_fire()

    async def put_workers(self, workers: Sequence[v1.WorkerInfo], expires_at_us: int) -> None:
        args = [part for worker in workers for part in (worker.id, worker.SerializeToString())]
        await self._client.run("workers_put", expires_at_us, *args)

    async def list_workers(self, now_us: int) -> list[v1.WorkerInfo]:
        workers = [v1.WorkerInfo.FromString(data) for data in await self._client.run("workers_list", now_us)]
        return sorted(workers, key=lambda worker: worker.id)

    async def prune(self, now_us: int, limit: int) -> int:
        await self._client.run("empty_trash", _STEP)
        pruned = 0
        while pruned < limit:
            step = min(_STEP, limit - pruned)
            forgotten: int = await self._client.run("prune", now_us, step)
            pruned += forgotten
            if forgotten < step:
                break
        return pruned


def _changes(answer: Sequence[tuple[int, v1.JobState.ValueType, bytes, bytes]]) -> list[Change]:
    return [Change(bool(changed), state, queue.decode(), worker.decode()) for changed, state, queue, worker in answer]
