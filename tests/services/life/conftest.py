"""One town per storage, shared by all tests here; a new storage is added to STORAGES and runs all of them."""

import contextlib
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from gotask.storage.contract import Storage
from gotask.storage.memory import MemoryStorage
from gotask.storage.postgres import PostgresAddress, PostgresStorage
from gotask.storage.redis.backend import RedisStorage
from tests.services.life.town import Life, Town, open_town
from tests.support.servers import Server


def _memory(_request: pytest.FixtureRequest, _namespace: str) -> Storage:
    return MemoryStorage()


def _redis(request: pytest.FixtureRequest, namespace: str) -> Storage:
    return RedisStorage(request.getfixturevalue("valkey").address, namespace)


def _postgres(request: pytest.FixtureRequest, namespace: str) -> Storage:
    return PostgresStorage(PostgresAddress(request.getfixturevalue("postgres").address), namespace)


STORAGES: dict[str, Callable[[pytest.FixtureRequest, str], Storage]] = {
    "memory": _memory,
    "redis": _redis,
    "postgres": _postgres,
}


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=STORAGES)
async def town(request: pytest.FixtureRequest, nats: Server) -> AsyncIterator[Town]:
    namespace = f"life-{request.param}"
    storage = STORAGES[request.param](request, namespace)
    await storage.open()
    async with open_town(nats.address, namespace, storage) as opened:
        yield opened
    await storage.close()


@pytest_asyncio.fixture(loop_scope="session")
async def life(town: Town) -> AsyncIterator[Life]:
    async with contextlib.AsyncExitStack() as stack:
        yield Life(town, stack)
