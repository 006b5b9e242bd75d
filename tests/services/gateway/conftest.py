"""A gateway with a queue-manager behind it."""

from collections.abc import AsyncIterator

import pytest

from gotask.storage.contract import Storage
from gotask.storage.memory import MemoryStorage
from gotask.storage.redis.backend import RedisStorage
from tests.services.gateway.support import Door, gateway, queue_manager
from tests.support.servers import Server


@pytest.fixture
async def storage(request: pytest.FixtureRequest, namespace: str) -> AsyncIterator[Storage]:
    """In memory, unless the test is parametrized to be on "redis"."""
    backend: Storage = MemoryStorage()
    if getattr(request, "param", "memory") == "redis":
        backend = RedisStorage(request.getfixturevalue("valkey").address, namespace)
    await backend.open()
    yield backend
    await backend.close()


@pytest.fixture
async def door(nats: Server, namespace: str, storage: Storage) -> AsyncIterator[Door]:
    async with queue_manager(nats.address, namespace, storage), gateway(nats.address, namespace, storage) as opened:
        yield opened
