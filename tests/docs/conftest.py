"""One GoTask for all pages."""

import asyncio
from collections.abc import Iterator

import pytest

from gotask.storage.postgres import PostgresAddress, PostgresStorage
from tests.docs.town import Town
from tests.support.servers import Server


@pytest.fixture(scope="package")
def town(tmp_path_factory: pytest.TempPathFactory, valkey: Server, postgres: Server) -> Iterator[Town]:
    """A stack that pages leave as they found it, and a database with GoTask's schema."""
    asyncio.run(_make_schema(PostgresAddress(postgres.address)))
    town = Town(tmp_path_factory.mktemp("docs"), valkey, postgres)
    try:
        town.up.start()
        yield town
    finally:
        town.up.stop()


async def _make_schema(address: PostgresAddress) -> None:
    storage = PostgresStorage(address, "gotask")
    try:
        await storage.migrate()
    finally:
        await storage.close()
