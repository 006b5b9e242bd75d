"""The Redis backend's calls."""

import struct
from collections.abc import Sequence
from typing import Any

import orjson
from redis.exceptions import RedisError

from gotask import v1
from gotask.storage.contract import (
    Change,
    Claimed,
    Claims,
    DeleteQueueStatus,
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
    Storage,
)
from gotask.storage.redis.connection import check_server, make_client
from gotask.storage.redis.listing import list_jobs
from gotask.storage.redis.queues import script_fields, stats_of
from gotask.storage.redis.records import claimed_numbers, to_job
from gotask.storage.redis.schedules import Schedules
from gotask.storage.redis.scripts import Scripts, storage_error

_HEAD = struct.Struct("<BBId")
_DELETE_CHUNK = 500
_CALL_AGAIN = 3
_REFUSED = {-1: Inserted(InsertStatus.QUEUE_FULL), -2: Inserted(InsertStatus.QUEUE_UNKNOWN)}
_STALE = Finished(FinishStatus.STALE)
_APPLIED = 100
_REPEATED = 200


class RedisStorage(Storage):
    """Storage in a Redis or Valkey server; *namespace* keeps several GoTasks apart in one."""

    def __init__(self, address: str, namespace: str) -> None:
        self._client = make_client(address)
        self._prefix = f"{{{namespace}}}:"
        self._scripts = Scripts(self._client, self._prefix)
        self._run = self._scripts.run
        self._schedules = Schedules(self._scripts, self._command)

    async def open(self) -> None:
        await self.ping()
        await check_server(self._client)

    async def close(self) -> None:
        await self._client.aclose()

    async def ping(self) -> None:
        await self._command("PING")

    async def _command(self, name: str, key: str = "", *args: Any) -> Any:
        """A plain command on one of our keys."""
        try:
            execute: Any = self._client.execute_command
            return await execute(name, *([self._prefix + key] if key else []), *args)
        except (RedisError, OSError) as error:
            raise storage_error(error) from error

    # Jobs: the way of a job

    async def insert_jobs(self, specs: Sequence[v1.JobSpec], now_us: int) -> list[Inserted]:
        args: list[Any] = [now_us]
        for spec in specs:
            args += (spec.id, spec.SerializeToString(), spec.queue, spec.priority, _extra(spec))
        answers = await self._run("insert", *args) if specs else ()
        return [_inserted(answer) for answer in answers]

    async def claim(self, slots: Sequence[Slot], now_us: int, lease_until_us: int) -> Claims:
        args: list[Any] = [now_us, lease_until_us, len(slots)]
        for slot in slots:
            args += (slot.worker, slot.capacity, len(slot.shares))
            for share in slot.shares:
                args += share
        answers, expired = await self._run("claim", *args)
        return Claims([_claimed(answer) for answer in answers], _queued(expired))

    async def finish(self, outcomes: Sequence[Finish], now_us: int) -> list[Finished]:
        args: list[Any] = [now_us]
        for job_id, _, attempt, state, history, result, due_at_us, forgiven in outcomes:
            args += (job_id, _HEAD.pack(state, forgiven, attempt, due_at_us), history, result)
        answers = await self._run("finish", *args) if outcomes else ()
        return [_finished(answer) for answer in answers]

    async def extend_leases(self, leases: Sequence[Lease], until_us: Sequence[int]) -> list[LeaseStatus]:
        args: list[Any] = []
        for lease, until in zip(leases, until_us, strict=True):
            args += (lease.job_id, lease.attempt, until)
        answers = await self._run("extend", *args) if leases else ()
        return [LeaseStatus(answer) for answer in answers]

    async def expired_leases(self, now_us: int, limit: int) -> list[ExpiredLease]:
        answer = await self._run("expired_leases", now_us, limit)
        rows = [answer[index : index + 5] for index in range(0, len(answer), 5)]
        rows.sort(key=lambda row: float(row[4]))
        return [
            ExpiredLease(job_id.decode(), queue.decode(), attempt, worker.decode())
            for job_id, queue, attempt, worker, _ in rows[:limit]
        ]

    async def due_jobs(self, now_us: int, limit: int) -> list[DueJob]:
        due = await self._command("ZRANGEBYSCORE", "due", "-inf", now_us, "WITHSCORES", "LIMIT", 0, limit)
        return [DueJob(job_id.decode(), due_at) for job_id, due_at in _scored(due)]

    async def next_due(self) -> int | None:
        first = _scored(await self._command("ZRANGE", "due", 0, 0, "WITHSCORES"))
        return first[0][1] if first else None

    async def release(self, job_ids: Sequence[str], now_us: int) -> list[Change]:
        return _changes(await self._run("release", now_us, *job_ids) if job_ids else ())

    async def expire_jobs(self, now_us: int, limit: int) -> list[QueuedJob]:
        return _queued(await self._run("expire", now_us, limit))

    # Jobs: commands

    async def cancel(self, job_ids: Sequence[str], now_us: int) -> list[Change]:
        return _changes(await self._run("cancel", now_us, *job_ids) if job_ids else ())

    async def delete(self, job_ids: Sequence[str]) -> list[Change]:
        return _changes(await self._run("delete", *job_ids) if job_ids else ())

    async def retry(self, job_ids: Sequence[str], now_us: int) -> list[Change]:
        return _changes(await self._run("retry", now_us, *job_ids) if job_ids else ())

    async def set_progress(self, updates: Sequence[ProgressUpdate]) -> list[bool]:
        args: list[Any] = []
        for update in updates:
            args += update
        return [bool(answer) for answer in (await self._run("progress", *args) if updates else ())]

    # Jobs: reading

    async def get_jobs(self, job_ids: Sequence[str]) -> list[v1.Job | None]:
        answers = await self._run("get", *job_ids) if job_ids else ()
        return [to_job(parts) if parts else None for parts in answers]

    async def list_jobs(self, criteria: JobFilter, cursor: str, limit: int) -> Page:
        return await list_jobs(self._scripts, self.get_jobs, criteria, cursor, limit)

    # Queues

    async def create_queue(self, queue: v1.Queue) -> bool:
        fields = ["paused", int(queue.paused), *script_fields(queue)]
        return bool(await self._run("put_queue", "create", queue.name, queue.SerializeToString(), *fields))

    async def update_queue(self, queue: v1.Queue) -> bool:
        for stored in await self.get_queues([queue.name]):
            updated = v1.Queue()
            updated.CopyFrom(queue)
            updated.created_at_us = stored.created_at_us
            data = updated.SerializeToString()
            return bool(await self._run("put_queue", "update", queue.name, data, *script_fields(queue)))
        return False

    async def set_paused(self, name: str, paused: bool, now_us: int) -> bool:
        if not await self._command("HEXISTS", "queue", name):
            return False
        await self._command("HSET", f"q:{name}", "paused", int(paused))
        return True

    async def get_queues(self, names: Sequence[str] | None = None) -> list[v1.Queue]:
        return [_queue(data, paused) for data, paused in await self._run("get_queues", *(names or ("*",)))]

    async def delete_queue(self, name: str) -> DeleteQueueStatus:
        while (answer := await self._run("delete_queue", name, _DELETE_CHUNK)) == _CALL_AGAIN:
            pass
        return DeleteQueueStatus(answer)

    async def queue_stats(self, names: Sequence[str], now_us: int) -> list[v1.QueueStats]:
        answers = await self._run("stats", now_us, *names) if names else ()
        return [stats_of(name, answer) for name, answer in zip(names, answers, strict=True)]

    # Schedules

    async def create_schedule(self, schedule: v1.Schedule) -> bool:
        return await self._schedules.create(schedule)

    async def update_schedule(self, schedule: v1.Schedule) -> bool:
        return await self._schedules.update(schedule)

    async def get_schedules(self, schedule_ids: Sequence[str] | None = None) -> list[v1.Schedule]:
        return await self._schedules.get(schedule_ids)

    async def delete_schedule(self, schedule_id: str) -> bool:
        return await self._schedules.delete(schedule_id)

    async def due_schedules(self, now_us: int, limit: int) -> list[v1.Schedule]:
        return await self._schedules.due(now_us, limit)

    async def advance_schedule(
        self, schedule_id: str, expected_us: int, next_us: int, fires: Sequence[v1.Fire]
    ) -> bool:
        return await self._schedules.advance(schedule_id, expected_us, next_us, fires)

    # Workers

    async def put_workers(self, workers: Sequence[v1.WorkerInfo], expires_at_us: int) -> None:
        args: list[Any] = []
        for worker in workers:
            args += (worker.id, b"%d:%s" % (expires_at_us, worker.SerializeToString()))
        if args:
            await self._command("HSET", "worker", *args)

    async def delete_worker(self, worker_id: str) -> None:
        await self._command("HDEL", "worker", worker_id)

    async def list_workers(self, now_us: int) -> list[v1.WorkerInfo]:
        stored = await self._command("HGETALL", "worker")
        workers, gone = [], []
        for worker_id, value in stored.items():
            expires, _, data = value.partition(b":")
            if int(expires) > now_us:
                workers.append(v1.WorkerInfo.FromString(data))
            else:
                gone.append(worker_id)
        if gone:
            await self._command("HDEL", "worker", *gone)
        return sorted(workers, key=lambda worker: worker.id)

    # Housekeeping

    async def prune(self, now_us: int, limit: int) -> int:
        return int(await self._run("prune", now_us, limit))


def _extra(spec: v1.JobSpec) -> bytes:
    """What only some jobs have, as insert.lua reads it; nothing for the others."""
    if not (spec.scheduled_at_us or spec.expires_at_us or spec.unique_key or spec.idempotency_key):
        return b""
    return orjson.dumps([spec.scheduled_at_us, spec.expires_at_us, spec.unique_key, spec.idempotency_key])


def _inserted(answer: int | bytes) -> Inserted:
    if isinstance(answer, bytes):
        return Inserted(InsertStatus.DUPLICATE, existing_id=answer.decode())
    if answer < 0:
        return _REFUSED[answer]
    return Inserted(InsertStatus.CREATED, v1.JobState.ValueType(answer))


def _claimed(shares: list[Any]) -> list[Claimed]:
    claimed = []
    for queue, ids, specs, records in shares:
        name = queue.decode()
        for job_id, spec, record in zip(ids, specs, records, strict=True):
            claimed.append(Claimed(job_id.decode(), name, spec, *claimed_numbers(record)))
    return claimed


def _finished(answer: int) -> Finished:
    if answer >= _REPEATED:
        return Finished(FinishStatus.REPEATED, v1.JobState.ValueType(answer - _REPEATED))
    if answer >= _APPLIED:
        return Finished(FinishStatus.APPLIED, v1.JobState.ValueType(answer - _APPLIED))
    return _STALE


def _changes(answers: Sequence[Any]) -> list[Change]:
    return [
        Change(bool(changed), v1.JobState.ValueType(state), queue.decode(), worker.decode())
        for changed, state, queue, worker in answers
    ]


def _queued(flat: Sequence[bytes]) -> list[QueuedJob]:
    return [QueuedJob(flat[index].decode(), flat[index + 1].decode()) for index in range(0, len(flat), 2)]


def _scored(rows: Sequence[Any]) -> list[tuple[bytes, int]]:
    """Members with their scores, whichever protocol the client speaks."""
    return [(member, int(float(score))) for member, score in rows]


def _queue(data: bytes, paused: bytes) -> v1.Queue:
    queue = v1.Queue.FromString(data)
    queue.paused = paused == b"1"
    return queue
