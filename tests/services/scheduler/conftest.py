"""Schedulers on every storage."""

from collections.abc import AsyncIterator

import pytest

from gotask.jobs.request import default_queue
from gotask.storage.contract import Storage
from tests.services.scheduler.office import Office, open_office
from tests.storage.conftest import BACKENDS
from tests.support.servers import Server


@pytest.fixture(params=BACKENDS)
async def storage(request: pytest.FixtureRequest, namespace: str) -> AsyncIterator[Storage]:
    """Open and empty, with a queue ``default``."""
    opened = BACKENDS[request.param](request)(namespace)
    await opened.open()
    await opened.create_queue(default_queue("default", 1))
    yield opened
    await opened.close()


@pytest.fixture
async def office(nats: Server, namespace: str, storage: Storage) -> AsyncIterator[Office]:
    """Nothing runs yet."""
    async with open_office(nats.address, namespace, storage) as opened:
        yield opened
