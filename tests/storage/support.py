"""Short ways to put jobs into a storage and to take them through their life."""

from typing import Any

from gotask import v1
from gotask.jobs.ids import IdMaker
from gotask.jobs.request import default_queue
from gotask.jobs.states import (
    CANCELLED,
    DEAD,
    EXPIRED,
    FAILED,
    PENDING,
    RETRYING,
    RUNNING,
    SCHEDULED,
    SUCCESS,
)
from gotask.storage.contract import Claimed, Finish, Finished, JobFilter, Share, Slot, Storage

NOW = 1_800_000_000_000_000
SECOND = 1_000_000
LEASE = 30 * SECOND
STATES = (SCHEDULED, PENDING, RUNNING, RETRYING, SUCCESS, FAILED, DEAD, CANCELLED, EXPIRED)
ENDS = (SUCCESS, RETRYING, PENDING, FAILED, DEAD, CANCELLED)

_ids = IdMaker()


def new_id() -> str:
    """An id above all others that were made here."""
    return _ids.make(NOW)


def job(**fields: Any) -> v1.JobSpec:
    """A job with sensible fields and a new id."""
    defaults: dict[str, Any] = {"id": new_id(), "type": "echo", "queue": "default", "priority": 1}
    return v1.JobSpec(**{**defaults, "created_at_us": NOW, **fields})


async def insert(storage: Storage, *specs: v1.JobSpec, now: int = NOW) -> list[str]:
    await storage.insert_jobs(specs, now)
    return [spec.id for spec in specs]


async def add_queue(storage: Storage, name: str, **settings: Any) -> None:
    queue = default_queue(name, NOW)
    for field, value in settings.items():
        setattr(queue, field, value)
    assert await storage.create_queue(queue)


async def claim(
    storage: Storage, capacity: int = 1, queue: str = "default", worker: str = "w", now: int = NOW, lease: int = LEASE
) -> list[Claimed]:
    claims = await storage.claim([Slot(worker, capacity, [Share(queue, capacity)])], now, now + lease)
    return claims.jobs[0]


async def start(storage: Storage, spec: v1.JobSpec | None = None, worker: str = "w") -> Claimed:
    """A job that runs; it must be the next in line."""
    spec = spec or job(priority=255)
    await insert(storage, spec)
    (claimed,) = await claim(storage, queue=spec.queue, worker=worker)
    assert claimed.job_id == spec.id
    return claimed


def outcome(claimed: Claimed, state: v1.JobState.ValueType = SUCCESS, **fields: Any) -> Finish:
    """How the attempt ended, with a history of this one attempt."""
    history = v1.History(attempts=[v1.Attempt(attempt=claimed.attempt, worker="w")]).SerializeToString()
    return Finish(claimed.job_id, claimed.queue, claimed.attempt, state, history, **fields)


async def end(
    storage: Storage,
    claimed: Claimed,
    state: v1.JobState.ValueType = SUCCESS,
    now: int = NOW + SECOND,
    **fields: Any,
) -> Finished:
    return (await storage.finish([outcome(claimed, state, **fields)], now))[0]


async def job_in(storage: Storage, state: v1.JobState.ValueType, **fields: Any) -> str:
    """The id of a job in any state, by the shortest way there."""
    if state == SCHEDULED:
        return (await insert(storage, job(scheduled_at_us=NOW + SECOND, **fields)))[0]
    if state == PENDING:
        return (await insert(storage, job(**fields)))[0]
    if state == EXPIRED:
        (job_id,) = await insert(storage, job(expires_at_us=NOW, **fields))
        await storage.expire_jobs(NOW, 1)
        return job_id
    claimed = await start(storage, job(priority=255, **fields))
    if state != RUNNING:
        await end(storage, claimed, state, due_at_us=NOW + SECOND)
    return claimed.job_id


async def get(storage: Storage, job_id: str) -> v1.Job:
    (found,) = await storage.get_jobs([job_id])
    assert found is not None
    return found


async def state_of(storage: Storage, job_id: str) -> v1.JobState.ValueType:
    return (await get(storage, job_id)).state


async def listed(storage: Storage, criteria: JobFilter | None = None, limit: int = 3) -> list[str]:
    """The ids on all pages."""
    ids: list[str] = []
    cursor = ""
    while True:
        page = await storage.list_jobs(criteria or JobFilter(), cursor, limit)
        assert len(page.jobs) <= limit
        ids += [one.spec.id for one in page.jobs]
        cursor = page.next_cursor
        if not cursor:
            return ids
