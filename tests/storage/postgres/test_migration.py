"""How the schema comes to be what this version needs."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from gotask.jobs.request import default_queue
from gotask.storage.contract import StorageError
from gotask.storage.postgres import PostgresAddress, PostgresStorage
from tests.storage.support import NOW, claim, end, insert, job
from tests.support.servers import Server


@pytest.fixture
async def admin(postgres: Server) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(postgres.address)
    yield connection
    await connection.close()


async def test_services_that_start_together_migrate_once(postgres: Server, namespace: str) -> None:
    storages = [PostgresStorage(PostgresAddress(postgres.address), namespace) for _ in range(8)]
    await asyncio.gather(*(storage.open() for storage in storages))
    assert await storages[0].create_queue(default_queue("default", NOW))
    assert len(await storages[7].get_queues()) == 1
    for storage in storages:
        await storage.close()


async def test_every_migration_is_told_before_and_after(postgres: Server, namespace: str) -> None:
    storage = PostgresStorage(PostgresAddress(postgres.address), namespace)
    before = await storage.migrations()
    assert [one.version for one in before] == list(range(1, len(before) + 1))
    assert not any(one.applied_at for one in before)
    assert await storage.migrate() == [one.name for one in before]
    assert await storage.migrate() == []
    assert all(one.applied_at for one in await storage.migrations())
    await storage.close()


async def test_a_schema_of_a_newer_version_is_refused(postgres: Server, namespace: str, admin: Any) -> None:
    storage = PostgresStorage(PostgresAddress(postgres.address), namespace)
    await storage.open()
    await admin.execute(f"INSERT INTO {namespace}.migrations VALUES (999, 'of_the_future')")
    with pytest.raises(StorageError, match="has version 999; this GoTask knows"):
        await storage.open()
    assert (await storage.migrations())[-1].name == "of_the_future"
    await storage.close()


async def test_a_migration_that_fails_leaves_nothing(postgres: Server, namespace: str, admin: Any) -> None:
    await admin.execute(f"CREATE SCHEMA {namespace}; CREATE TABLE {namespace}.attempts (x int)")
    storage = PostgresStorage(PostgresAddress(postgres.address), namespace)
    with pytest.raises(StorageError, match='"attempts" already exists'):
        await storage.open()
    assert await admin.fetchval(f"SELECT to_regclass('{namespace}.specs')") is None
    await admin.execute(f"DROP TABLE {namespace}.attempts")
    await storage.open()
    await storage.close()


async def test_a_database_of_another_encoding_is_refused(postgres: Server, admin: Any) -> None:
    await admin.execute("CREATE DATABASE ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    storage = PostgresStorage(PostgresAddress(postgres.address.replace("/postgres", "/ascii")), "gotask")
    with pytest.raises(StorageError, match="has the encoding SQL_ASCII: GoTask needs one with UTF8"):
        await storage.open()
    await storage.close()


async def test_a_role_that_may_not_change_the_schema_serves_once_it_is_there(
    postgres: Server, namespace: str, admin: Any
) -> None:
    await admin.execute(f"CREATE ROLE {namespace} LOGIN PASSWORD 'p'")
    port = postgres.command.port
    address = PostgresAddress(host="127.0.0.1", port=port, database="postgres", user=namespace, password="p")
    storage = PostgresStorage(address, namespace)
    with pytest.raises(StorageError, match="permission denied"):
        await storage.open()
    owner = PostgresStorage(PostgresAddress(postgres.address), namespace)
    await owner.migrate()
    await owner.close()
    await admin.execute(
        f"GRANT USAGE ON SCHEMA {namespace} TO {namespace};"
        f"GRANT ALL ON ALL TABLES IN SCHEMA {namespace} TO {namespace};"
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {namespace} TO {namespace}"
    )
    await storage.open()
    await storage.create_queue(default_queue("default", NOW))
    await insert(storage, job())
    (claimed,) = await claim(storage)
    await end(storage, claimed)
    await storage.expire_jobs(NOW, 10)
    await storage.close()


@pytest.mark.parametrize("namespace", ["", "x" * 64, "a\0b"])
def test_a_namespace_that_no_schema_can_have_is_refused(namespace: str) -> None:
    with pytest.raises(ValueError, match="a schema of PostgreSQL has a name of 1 to 63 bytes"):
        PostgresStorage(PostgresAddress(), namespace)


async def test_any_other_namespace_is_quoted(postgres: Server) -> None:
    storage = PostgresStorage(PostgresAddress(postgres.address), 'Odd "näme"; --')
    await storage.open()
    assert await storage.get_queues() == []
    await storage.close()
