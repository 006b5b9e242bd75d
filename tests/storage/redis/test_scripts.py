"""Scripts that the server has forgotten are sent again, in the middle of anything."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gotask.jobs.request import default_queue
from gotask.storage.contract import FinishStatus, InsertStatus
from gotask.storage.redis import RedisStorage
from tests.storage.redis.servers import tell
from tests.storage.support import NOW, claim, end, insert, job
from tests.support.servers import ServerProcess


@pytest.fixture
async def storage(server: ServerProcess, namespace: str) -> AsyncIterator[RedisStorage]:
    opened = RedisStorage(server.address, namespace)
    await opened.open()
    await opened.create_queue(default_queue("default", NOW))
    yield opened
    await opened.close()


async def test_every_step_of_a_job_survives_a_flush_of_the_scripts(
    server: ServerProcess, storage: RedisStorage
) -> None:
    spec = job()
    tell(server, "SCRIPT", "FLUSH")
    assert (await storage.insert_jobs([spec], NOW))[0].status is InsertStatus.CREATED
    tell(server, "SCRIPT", "FLUSH")
    (claimed,) = await claim(storage)
    tell(server, "SCRIPT", "FLUSH")
    assert (await end(storage, claimed)).status is FinishStatus.APPLIED
    tell(server, "SCRIPT", "FLUSH")
    assert (await end(storage, claimed)).status is FinishStatus.REPEATED


async def test_claimers_do_not_notice_that_scripts_are_flushed(server: ServerProcess, storage: RedisStorage) -> None:
    ids = await insert(storage, *[job() for _ in range(200)])
    given: list[str] = []

    async def work(name: str) -> None:
        while claimed := await claim(storage, 3, worker=name):
            given.extend(one.job_id for one in claimed)

    async def flush() -> None:
        while len(given) < len(ids):
            await asyncio.to_thread(tell, server, "SCRIPT", "FLUSH")

    await asyncio.gather(flush(), *(work(f"w{index}") for index in range(8)))
    assert sorted(given) == sorted(ids)
