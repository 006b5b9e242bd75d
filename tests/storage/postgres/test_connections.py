"""How connections are made, and given back."""

import asyncio
from typing import Any

import pytest

from gotask.storage.postgres import PostgresAddress, PostgresStorage
from gotask.storage.postgres.client import MAX_CONNECTIONS
from tests.storage.support import insert, job
from tests.support.servers import Server


async def test_calls_share_a_bounded_number_of_connections(storage: PostgresStorage, connection: Any) -> None:
    await asyncio.gather(*(insert(storage, job()) for _ in range(5 * MAX_CONNECTIONS)))
    name = f"gotask {storage._namespace}"
    count = await connection.fetchval("SELECT count(*) FROM pg_stat_activity WHERE application_name = $1", name)
    assert 1 <= count <= MAX_CONNECTIONS


async def test_a_second_connection_does_not_ask_what_an_array_is(
    storage: PostgresStorage, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    await insert(storage, job())
    asked: list[Any] = []

    async def ask(self: Any, *args: Any) -> Any:
        asked.append(args)
        raise AssertionError

    monkeypatch.setattr("asyncpg.Connection._introspect_types", ask)
    other = PostgresStorage(PostgresAddress(postgres.address), storage._namespace)
    await insert(other, job())
    await other.close()
    assert not asked


async def test_a_closed_storage_opens_again(storage: PostgresStorage) -> None:
    (job_id,) = await insert(storage, job())
    await storage.close()
    await storage.open()
    assert await storage.get_jobs([job_id, "nonsense"]) != [None, None]
    assert (await storage.get_jobs(["nonsense"])) == [None]


async def test_the_single_values_lead_to_the_database_as_well(postgres: Server, storage: PostgresStorage) -> None:
    password = postgres.address.split(":")[2].split("@")[0]
    address = PostgresAddress("", "127.0.0.1", postgres.command.port, "postgres", "gotask", password)
    other = PostgresStorage(address, storage._namespace)
    (job_id,) = await insert(other, job())
    assert (await storage.get_jobs([job_id]))[0] is not None
    await other.ping()
    await other.close()
