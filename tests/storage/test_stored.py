"""What the last release stored is read by this version, and goes on. ``make stored-baseline`` records it anew."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gotask.storage.contract import Storage
from gotask.storage.memory import MemoryStorage
from gotask.storage.postgres import PostgresAddress, PostgresStorage
from gotask.storage.redis import RedisStorage
from tests.storage.stored.dumps import load_postgres, load_redis
from tests.storage.stored.state import NAMESPACE, fill, forget, go_on, read
from tests.support.servers import Server

_FOLDER = Path(__file__).parent / "stored"


async def _filled(_: pytest.FixtureRequest) -> Storage:
    """It keeps nothing that a later version could find: what it does is what the others are held to."""
    storage = MemoryStorage()
    await fill(storage)
    return storage


async def _redis(request: pytest.FixtureRequest) -> Storage:
    server: Server = request.getfixturevalue("own_valkey")
    await load_redis(server.address, (_FOLDER / "redis.json").read_text())
    return RedisStorage(server.address, NAMESPACE)


async def _postgres(request: pytest.FixtureRequest) -> Storage:
    server: Server = request.getfixturevalue("postgres")
    await load_postgres(server.address, (_FOLDER / "postgres.sql").read_text())
    return PostgresStorage(PostgresAddress(server.address), NAMESPACE)


@pytest.fixture(params=[_filled, _redis, _postgres], ids=["memory", "redis", "postgres"])
async def storage(request: pytest.FixtureRequest) -> AsyncIterator[Storage]:
    opened: Storage = await request.param(request)
    await opened.open()
    yield opened
    await opened.close()


async def test_what_the_last_release_stored_is_read_and_goes_on(storage: Storage) -> None:
    assert await read(storage) == json.loads((_FOLDER / "expected.json").read_text())
    await go_on(storage)
    await forget(storage)
