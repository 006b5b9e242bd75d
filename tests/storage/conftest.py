"""Every test of the contract runs against every backend; a new one is added to BACKENDS and runs all of them."""

from collections.abc import AsyncIterator, Callable

import pytest

from gotask.jobs.request import default_queue
from gotask.storage.contract import Storage
from gotask.storage.memory import MemoryStorage
from gotask.storage.redis import RedisStorage
from tests.storage.schemas import Schemas
from tests.storage.support import NOW

Backend = Callable[[str], Storage]
"""Makes a storage that is not open yet, from a namespace."""


def _memory(_: pytest.FixtureRequest) -> Backend:
    return lambda _: MemoryStorage()


def _redis(request: pytest.FixtureRequest) -> Backend:
    address = request.getfixturevalue("valkey").address
    return lambda namespace: RedisStorage(address, namespace)


def _postgres(request: pytest.FixtureRequest) -> Backend:
    schemas: Schemas = request.getfixturevalue("schemas")
    request.addfinalizer(schemas.give_back)
    return schemas.storage


BACKENDS = {"memory": _memory, "redis": _redis, "postgres": _postgres}


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Backend:
    return BACKENDS[request.param](request)


@pytest.fixture
async def storage(backend: Backend, namespace: str) -> AsyncIterator[Storage]:
    """An open, empty storage with a queue ``default``."""
    opened = backend(namespace)
    await opened.open()
    await opened.create_queue(default_queue("default", NOW))
    yield opened
    await opened.close()


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """For thousands of jobs in one call, which a machine that does much else may not manage in ten seconds."""
    monkeypatch.setattr("gotask.storage.postgres.client.CALL_TIMEOUT_S", 60.0)
