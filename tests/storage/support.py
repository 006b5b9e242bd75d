"""Short ways to put jobs into a storage and to take them through their life."""

from typing import Any

from gotask import v1
from gotask.jobs.ids import IdMaker
from gotask.jobs.request import default_queue
from gotask.jobs.states import SUCCESS
from gotask.storage.contract import Claimed, Finish, Finished, Share, Slot, Storage

NOW = 1_800_000_000_000_000
SECOND = 1_000_000
LEASE = 30 * SECOND

_ids = IdMaker()


def job(**fields: Any) -> v1.JobSpec:
    """A job with sensible fields and a new id."""
    defaults: dict[str, Any] = {"id": _ids.make(NOW), "type": "echo", "queue": "default", "priority": 1}
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


async def end(
    storage: Storage,
    claimed: Claimed,
    state: v1.JobState.ValueType = SUCCESS,
    now: int = NOW + SECOND,
    **fields: Any,
) -> Finished:
    attempt = v1.Attempt(attempt=claimed.attempt, worker="w", finished_at_us=now)
    history = v1.History(attempts=[attempt]).SerializeToString()
    finish = Finish(claimed.job_id, claimed.queue, claimed.attempt, state, history, **fields)
    return (await storage.finish([finish], now))[0]


async def state_of(storage: Storage, job_id: str) -> v1.JobState.ValueType:
    found = (await storage.get_jobs([job_id]))[0]
    assert found is not None
    return found.state
