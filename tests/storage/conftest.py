"""Every test of the contract runs against every backend."""

from collections.abc import AsyncIterator

import pytest

from gotask.jobs.request import default_queue
from gotask.storage.contract import Storage
from gotask.storage.memory import MemoryStorage
from gotask.storage.redis.backend import RedisStorage
from tests.storage.support import NOW


@pytest.fixture(params=["memory", "redis"])
async def storage(request: pytest.FixtureRequest, namespace: str) -> AsyncIterator[Storage]:
    """An open, empty storage with a queue ``default``."""
    backend: Storage
    if request.param == "memory":
        backend = MemoryStorage()
    else:
        backend = RedisStorage(request.getfixturevalue("valkey").address, namespace)
    await backend.open()
    await backend.create_queue(default_queue("default", NOW))
    yield backend
    await backend.close()
