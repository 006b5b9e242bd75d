"""Leases after an outage, and heartbeats that cannot be understood."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from gotask import v1
from gotask.bus.errors import Code, CommandError
from gotask.storage.contract import Lease, LeaseStatus, StorageUnavailable
from gotask.storage.memory import MemoryStorage
from tests.services.queue_manager.support import Desk, desk
from tests.support.servers import Server

QUICK = {"first_lease": 1.0, "lease_scan": 0.05}


class Away(MemoryStorage):
    away = False

    async def extend_leases(self, leases: Sequence[Lease], until_us: Sequence[int]) -> list[LeaseStatus]:
        if self.away:
            raise StorageUnavailable("not now")
        return await super().extend_leases(leases, until_us)


@pytest.fixture
async def storage() -> MemoryStorage:
    return Away()


@pytest.fixture
async def manager(nats: Server, namespace: str, storage: MemoryStorage) -> AsyncIterator[Desk]:
    async with desk(nats.address, namespace, storage, **QUICK) as opened:
        yield opened


async def beat(manager: Desk, *job_ids: str, worker: str = "w", attempts: Sequence[int] = ()) -> v1.HeartbeatReply:
    heartbeat = v1.Heartbeat(worker=v1.WorkerInfo(id=worker), job_ids=job_ids, queues=["default"] * len(job_ids))
    heartbeat.attempts.extend(attempts or [1] * len(job_ids))
    subject = manager.bus.subjects.heartbeat
    return await manager.bus.request(subject, heartbeat, v1.HeartbeatReply, timeout_s=5)


async def test_a_queue_manager_that_has_just_started_hears_workers_before_it_judges_them(
    nats: Server, namespace: str, storage: MemoryStorage
) -> None:
    async with desk(nats.address, namespace, storage) as before:
        kept, lost = await before.insert(), await before.insert()
        for _ in range(2):
            await before.claim(lease_s=0)
    async with desk(nats.address, namespace, storage, **QUICK) as manager:
        assert not (await beat(manager, kept)).lost
        await manager.hears("retrying", lost)
        assert manager.kinds(kept) == []


async def test_workers_are_heard_again_after_an_outage_of_the_storage(manager: Desk, storage: Away) -> None:
    kept, lost = await manager.insert(), await manager.insert()
    await asyncio.sleep(QUICK["first_lease"])
    storage.away = True
    with pytest.raises(CommandError) as refused:
        await beat(manager, "a job")
    assert refused.value.code == Code.UNAVAILABLE
    for _ in range(2):
        await manager.claim(lease_s=0)
    storage.away = False
    assert not (await beat(manager, kept)).lost
    await manager.hears("retrying", lost)
    assert manager.kinds(kept) == []


async def test_a_heartbeat_that_cannot_be_understood_disturbs_no_other(manager: Desk) -> None:
    job_id = await manager.insert()
    await manager.claim()
    answers = await asyncio.gather(
        beat(manager, job_id),
        beat(manager, job_id, attempts=[1, 2]),
        beat(manager, job_id, worker=""),
        return_exceptions=True,
    )
    good, uneven, nameless = answers
    assert isinstance(good, v1.HeartbeatReply)
    assert isinstance(uneven, CommandError)
    assert isinstance(nameless, CommandError)
    assert (uneven.code, uneven.field) == (Code.INVALID_ARGUMENT, "job_ids")
    assert (nameless.code, nameless.field) == (Code.INVALID_ARGUMENT, "worker.id")
