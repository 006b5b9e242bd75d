"""What a failure is to a caller: worth a repeat, or not; and never a secret."""

import asyncio
from typing import Any

import asyncpg
import pytest

from gotask.embedded import free_port
from gotask.jobs.states import SCHEDULED
from gotask.storage.contract import StorageError, StorageUnavailable
from gotask.storage.postgres import PostgresAddress, PostgresStorage
from gotask.storage.postgres.errors import translated
from tests.storage.support import NOW, insert, job, job_in
from tests.support.servers import Server

SECRET = "s3cret"
PASSING = [
    "08006",
    "08003",
    "40001",
    "40P01",
    "53100",
    "53200",
    "53300",
    "55P03",
    "57014",
    "57P01",
    "57P03",
    "58030",
    "25006",
]
FAULTS = ["22003", "23502", "28000", "28P01", "3D000", "3F000", "42501", "42883", "42P01", "42601", "XX000"]


@pytest.mark.parametrize("state", PASSING)
def test_what_passes_is_worth_a_repeat(state: str) -> None:
    error = translated(asyncpg.PostgresError.new({"C": state, "M": "the text"}))
    assert isinstance(error, StorageUnavailable)
    assert "the text" in str(error)


@pytest.mark.parametrize("state", FAULTS)
def test_what_stays_is_a_fault(state: str) -> None:
    error = translated(asyncpg.PostgresError.new({"C": state, "M": "the text"}))
    assert not isinstance(error, StorageUnavailable)
    assert "the text" in str(error)


async def _failure(address: PostgresAddress) -> StorageError:
    storage = PostgresStorage(address, "gotask")
    with pytest.raises(StorageError) as caught:
        await storage.open()
    await storage.close()
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(address)
    return caught.value


async def test_nobody_at_the_address_is_worth_a_repeat() -> None:
    address = PostgresAddress(f"postgresql://gotask:{SECRET}@127.0.0.1:{free_port()}/postgres")
    assert isinstance(await _failure(address), StorageUnavailable)


@pytest.mark.parametrize(
    "dsn", [f"mysql://gotask:{SECRET}@127.0.0.1/x", f"postgresql://gotask:@{SECRET}@127.0.0.1:{SECRET}/x"]
)
async def test_what_is_no_connection_string_is_said(dsn: str) -> None:
    error = await _failure(PostgresAddress(dsn))
    assert not isinstance(error, StorageUnavailable)
    assert str(error).startswith("GOTASK_POSTGRES_DSN is not a connection string")


async def test_wrong_credentials_and_unknown_databases_are_said(postgres: Server) -> None:
    port = postgres.command.port
    error = await _failure(PostgresAddress("", "127.0.0.1", port, "postgres", "gotask", SECRET))
    assert str(error).startswith("PostgreSQL refuses the credentials: password authentication failed")
    error = await _failure(PostgresAddress(postgres.address.replace("/postgres", "/nowhere")))
    assert str(error).endswith('database "nowhere" does not exist; create it with createdb, or name another')


async def test_a_schema_that_is_gone_is_said(postgres: Server, namespace: str) -> None:
    storage = PostgresStorage(PostgresAddress(postgres.address), namespace)
    with pytest.raises(StorageError, match="run: gotask storage migrate"):
        await storage.insert_jobs([job()], NOW)
    await storage.close()


async def test_a_number_beyond_the_database_is_a_fault_of_this_call_only(storage: PostgresStorage) -> None:
    with pytest.raises(StorageError, match="beyond what PostgreSQL stores"):
        await storage.due_jobs(1 << 70, 5)
    assert await storage.due_jobs(NOW, 5) == []


async def test_a_primary_that_became_a_replica_is_left_for_the_new_one(
    storage: PostgresStorage, connection: Any
) -> None:
    await insert(storage, job())
    await connection.execute("ALTER ROLE gotask SET default_transaction_read_only = on")
    try:
        await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        with pytest.raises(StorageUnavailable):
            await storage.insert_jobs([job()], NOW)
        with pytest.raises(StorageUnavailable, match="read-only"):
            await storage.insert_jobs([job()], NOW)
    finally:
        await connection.execute("SET default_transaction_read_only = off")
        await connection.execute("ALTER ROLE gotask RESET default_transaction_read_only")
    await insert(storage, job())


async def test_a_cancelled_call_leaves_its_connection_to_nobody(storage: PostgresStorage) -> None:
    ids = [await job_in(storage, SCHEDULED) for _ in range(3)]
    for _ in range(20):
        reading = asyncio.create_task(storage.get_jobs(ids))
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        assert [found.spec.id for found in await storage.get_jobs(ids) if found] == ids


async def test_calls_that_lock_the_same_jobs_in_any_order_all_end_well(storage: PostgresStorage) -> None:
    ids = await insert(storage, *[job() for _ in range(60)])
    for _ in range(5):
        await asyncio.gather(*(storage.cancel(order, NOW) for order in (ids, ids[::-1], ids[30:] + ids[:30])))
        changes = await asyncio.gather(*(storage.retry(order, NOW) for order in (ids, ids[::-1])))
        assert sum(change.changed for answer in changes for change in answer) == len(ids)
