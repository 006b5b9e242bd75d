"""A real master, its replicas and a Sentinel: the storage follows the master."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from gotask.embedded import free_port
from gotask.jobs.request import default_queue
from gotask.jobs.states import SUCCESS
from gotask.storage.contract import Claimed, FinishStatus, StorageUnavailable
from gotask.storage.redis import RedisStorage
from tests.storage.redis.fleet import Fleet, running_fleet
from tests.storage.redis.servers import tell
from tests.storage.support import NOW, claim, end, job, state_of
from tests.support.waiting import wait_until_blocking

T = TypeVar("T")


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    monkeypatch.setattr("gotask.storage.redis.client.REPLICAS_TIMEOUT_MS", 100)
    with running_fleet(tmp_path, down_after_ms=300) as fleet:
        yield fleet


async def repeated(call: Callable[[], Awaitable[T]]) -> T:
    """The answer of a call that is repeated for as long as the storage says that this may help."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await call()
            except StorageUnavailable:
                await asyncio.sleep(0.02)


async def _running_job(storage: RedisStorage) -> Claimed:
    await repeated(storage.open)
    await repeated(lambda: storage.create_queue(default_queue("default", NOW)))
    spec = job()
    await repeated(lambda: storage.insert_jobs([spec], NOW))
    (claimed,) = await claim(storage)
    return claimed


async def test_the_storage_follows_the_master_when_that_dies(fleet: Fleet, namespace: str) -> None:
    storage = RedisStorage(fleet.address(), namespace)
    claimed = await _running_job(storage)
    fleet.wait_in_step()
    old = fleet.master()
    old.kill()
    assert (await repeated(lambda: end(storage, claimed))).state == SUCCESS
    assert fleet.master() is not old
    old.start()
    assert await state_of(storage, claimed.job_id) == SUCCESS
    await storage.close()


async def test_nothing_is_lost_to_a_master_that_is_replaced_while_it_runs(fleet: Fleet, namespace: str) -> None:
    """The old master takes writes for seconds after another was chosen, and then forgets them."""
    storage = RedisStorage(fleet.address(), namespace)
    claimed = await _running_job(storage)
    fleet.wait_in_step()
    old = fleet.master()
    tell(fleet.sentinel, "SENTINEL", "FAILOVER", "main")
    wait_until_blocking(lambda: fleet.master() is not old, "another is master")
    assert (await repeated(lambda: end(storage, claimed))).state == SUCCESS
    fresh = RedisStorage(fleet.address(), namespace)
    assert await state_of(fresh, claimed.job_id) == SUCCESS
    await storage.close()
    await fresh.close()


async def test_a_write_counts_when_a_replica_has_it(fleet: Fleet, namespace: str) -> None:
    storage = RedisStorage(fleet.address(), namespace)
    claimed = await _running_job(storage)
    for replica in fleet.replicas():
        replica.signal(signal.SIGSTOP)
    for _ in range(2):
        with pytest.raises(StorageUnavailable, match="wait_replicas"):
            await end(storage, claimed)
    assert await state_of(storage, claimed.job_id) == SUCCESS
    for replica in fleet.replicas():
        replica.signal(signal.SIGCONT)
    assert await repeated(lambda: end(storage, claimed)) == (FinishStatus.REPEATED, SUCCESS)
    await storage.close()


async def test_no_sentinel_or_an_unknown_name_may_pass(fleet: Fleet, namespace: str) -> None:
    for address in (f"redis+sentinel://127.0.0.1:{free_port()}/main", fleet.address().replace("main", "other")):
        storage = RedisStorage(address, namespace)
        with pytest.raises(StorageUnavailable, match="No master found"):
            await storage.ping()
        await storage.close()
