"""The PostgreSQL backend: each call runs one function of ``migrations/``."""

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
from gotask.storage.postgres import claiming, finishing, insertion, listing
from gotask.storage.postgres.address import PostgresAddress
from gotask.storage.postgres.client import Client
from gotask.storage.postgres.ids import known_ids
from gotask.storage.postgres.jobs import job_of
from gotask.storage.postgres.migration import Applied, migrate, status
from gotask.storage.postgres.queues import Queues
from gotask.storage.postgres.schedules import Schedules
from gotask.storage.postgres.schema import quoted
from gotask.storage.postgres.text import original
from gotask.storage.postgres.workers import Workers

_STEP = 500
"""Jobs that one transaction forgets."""


class PostgresStorage(Storage):
    """Storage in PostgreSQL 12 or newer, in a schema called as the namespace."""

    def __init__(self, address: PostgresAddress, namespace: str) -> None:
        self._namespace = namespace
        self._schema = quoted(namespace)
        self._client = Client(address, f"gotask {namespace}")
        self._queues = Queues(self._client, self._schema)
        self._schedules = Schedules(self._client, self._schema)
        self._workers = Workers(self._client, self._schema)

    async def open(self) -> None:
        """Applies the migrations that are missing. StorageError when the schema is newer than this code."""
        await self.migrate()

    async def migrate(self) -> list[str]:
        """Applies the migrations that are missing; their names."""
        async with self._client.connection() as connection:
            return await migrate(connection, self._namespace)

    async def migrations(self) -> list[Applied]:
        """Every migration, those that are missing included."""
        async with self._client.connection() as connection:
            return await status(connection, self._namespace)

    async def close(self) -> None:
        await self._client.close()

    async def ping(self) -> None:
        await self._client.rows("SELECT 1")

    async def _call(self, function: str, *args: Any) -> Any:
        """The rows that a function of the schema answers."""
        parameters = ", ".join(f"${number}" for number in range(1, len(args) + 1))
        return await self._client.rows(f"SELECT * FROM {self._schema}.{function}({parameters})", *args)  # noqa: S608

    async def insert_jobs(self, specs: Sequence[v1.JobSpec], now_us: int) -> list[Inserted]:
        if not specs:
            return []
        refused = await self._call("insert_jobs", *insertion.arguments(specs, now_us))
        return insertion.results(specs, now_us, refused)

    async def claim(self, slots: Sequence[Slot], now_us: int, lease_until_us: int) -> Claims:
        queues, args = claiming.arguments(slots, now_us, lease_until_us)
        return claiming.claims(slots, queues, await self._call("claim_jobs", *args) if queues else ())

    async def finish(self, outcomes: Sequence[Finish], now_us: int) -> list[Finished]:
        check_outcomes(outcomes)
        if not outcomes:
            return []
        args = finishing.arguments(outcomes, now_us)
        return finishing.results(outcomes, await self._call("finish_jobs", *args))

    async def extend_leases(self, leases: Sequence[Lease], until_us: Sequence[int]) -> list[LeaseStatus]:
        ids = known_ids(lease.job_id for lease in leases)
        rows = await self._call("extend_leases", ids, [lease.attempt for lease in leases], list(until_us))
        return [LeaseStatus(status) for status in rows[0][0] or ()]

    async def expired_leases(self, now_us: int, limit: int) -> list[ExpiredLease]:
        rows = await self._call("expired_leases", now_us, limit)
        return [ExpiredLease(str(job_id), queue, attempt, original(worker)) for job_id, queue, attempt, worker in rows]

    async def due_jobs(self, now_us: int, limit: int) -> list[DueJob]:
        table = f"{self._schema}.delayed"
        query = f"SELECT id, due_at_us FROM {table} WHERE due_at_us <= $1 ORDER BY due_at_us, id LIMIT $2"  # noqa: S608
        return [DueJob(str(job_id), due_at_us) for job_id, due_at_us in await self._client.rows(query, now_us, limit)]

    async def next_due(self) -> int | None:
        due_at_us: int | None = await self._client.value(f"SELECT min(due_at_us) FROM {self._schema}.delayed")  # noqa: S608
        return due_at_us

    async def release(self, job_ids: Sequence[str], now_us: int) -> list[Change]:
        return _changes(await self._call("release_jobs", now_us, known_ids(job_ids)))

    async def expire_jobs(self, now_us: int, limit: int) -> list[QueuedJob]:
        return [QueuedJob(str(job_id), queue) for job_id, queue in await self._call("expire_jobs", now_us, limit)]

    async def cancel(self, job_ids: Sequence[str], now_us: int) -> list[Change]:
        return _changes(await self._call("cancel_jobs", now_us, known_ids(job_ids)))

    async def cancel_waiting(self, queue: str, now_us: int, limit: int) -> list[str]:
        return [str(job_id) for (job_id,) in await self._call("cancel_waiting", queue, now_us, limit)]

    async def delete(self, job_ids: Sequence[str]) -> list[Change]:
        return _changes(await self._call("delete_jobs", known_ids(job_ids)))

    async def retry(self, job_ids: Sequence[str], now_us: int) -> list[Change]:
        return _changes(await self._call("retry_jobs", now_us, known_ids(job_ids)))

    async def set_progress(self, updates: Sequence[ProgressUpdate]) -> list[bool]:
        ids = known_ids(update.job_id for update in updates)
        attempts, told = [update.attempt for update in updates], [update.progress for update in updates]
        rows = await self._call("set_progress", ids, attempts, told)
        return list(rows[0][0] or ())

    async def get_jobs(self, job_ids: Sequence[str]) -> list[v1.Job | None]:
        found = {str(row[0]): row for row in await self._call("get_jobs", known_ids(job_ids))}
        return [job_of(found[job_id]) if job_id in found else None for job_id in job_ids]

    async def list_jobs(self, criteria: JobFilter, cursor: str, limit: int) -> Page:
        return await listing.page(self._client, self._schema, criteria, cursor, limit)

    async def create_queue(self, queue: v1.Queue) -> bool:
        return await self._queues.create(queue)

    async def update_queue(self, queue: v1.Queue) -> bool:
        return await self._queues.update(queue)

    async def set_paused(self, name: str, paused: bool, now_us: int) -> bool:
        return await self._queues.set_paused(name, paused, now_us)

    async def get_queues(self, names: Sequence[str] | None = None) -> list[v1.Queue]:
        return await self._queues.get(names)

    async def delete_queue(self, name: str) -> DeleteQueueStatus:
        return await self._queues.delete(name)

    async def queue_stats(self, names: Sequence[str], now_us: int) -> list[v1.QueueStats]:
        return await self._queues.stats(names, now_us)

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
        await self._workers.put(workers, expires_at_us)

    async def list_workers(self, now_us: int) -> list[v1.WorkerInfo]:
        return await self._workers.live(now_us)

    async def prune(self, now_us: int, limit: int) -> int:
        await self._queues.empty_trash()
        pruned = 0
        while pruned < limit:
            step = min(_STEP, limit - pruned)
            forgotten: int = (await self._call("prune", now_us, step))[0][0]
            pruned += forgotten
            if forgotten < step:
                break
        return pruned


_UNKNOWN = Change(changed=False, state=v1.JOB_STATE_UNSPECIFIED)


def _changes(rows: Sequence[Any]) -> list[Change]:
    return [
        Change(changed, state, queue, original(worker or "")) if state else _UNKNOWN
        for changed, state, queue, worker in rows
    ]
