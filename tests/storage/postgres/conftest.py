"""An open storage of the shared server, and connections that look at its tables."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from gotask.jobs.request import default_queue
from gotask.storage.postgres import PostgresStorage
from tests.storage.schemas import Schemas
from tests.storage.support import NOW
from tests.support.servers import Server


@pytest.fixture
async def storage(schemas: Schemas, namespace: str) -> AsyncIterator[PostgresStorage]:
    """An open, empty storage with a queue ``default``."""
    opened = schemas.storage(namespace)
    await opened.open()
    await opened.create_queue(default_queue("default", NOW))
    yield opened
    await opened.close()
    schemas.give_back()


@pytest.fixture
async def connection(postgres: Server, schemas: Schemas, namespace: str) -> AsyncIterator[Any]:
    """A connection of somebody else, whose search path is the storage's schema."""
    opened = await _connection(postgres, schemas.of(namespace))
    yield opened
    opened.terminate()


@pytest.fixture
async def reader(postgres: Server, schemas: Schemas, namespace: str) -> AsyncIterator[Any]:
    """Another such."""
    opened = await _connection(postgres, schemas.of(namespace))
    yield opened
    opened.terminate()


async def _connection(server: Server, schema: str) -> Any:
    return await asyncpg.connect(server.address, server_settings={"search_path": f'"{schema}"'})
