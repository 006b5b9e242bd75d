"""Migrations are online: the code of the version before goes on while they are applied, and afterwards."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import asyncpg
import pytest

from gotask.jobs.request import default_queue
from gotask.storage.postgres import PostgresAddress, PostgresStorage, migration
from gotask.storage.postgres.migration import Migration
from tests.storage.support import NOW, claim, end, insert, job
from tests.support.servers import Server
from tests.support.waiting import wait_until

_OFFERED = """
SELECT 'function ' || proname || '(' || oidvectortypes(proargtypes) || ') gives ' || pg_get_function_result(oid)
FROM pg_proc WHERE pronamespace = to_regnamespace($1::text)
UNION ALL
SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type
FROM information_schema.columns WHERE table_schema = $1::text
"""
"""What code may call, and what it may read."""

_NEXT = """
ALTER TABLE {schema}.specs ADD COLUMN remark text;
ALTER TABLE {schema}.queues ADD COLUMN remark text NOT NULL DEFAULT '';
CREATE TABLE {schema}.remarks (id bigint PRIMARY KEY);
"""

_WAITS = """
SELECT count(*) FROM pg_locks
WHERE NOT granted AND mode = 'AccessExclusiveLock' AND relation = ($1 || '.queues')::regclass
"""

Known = Callable[[Sequence[Migration]], None]


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Known:
    """Makes the code know these migrations, and no others."""
    return lambda found: monkeypatch.setattr(migration, "migrations", lambda: list(found))


@pytest.fixture
async def storage(postgres: Server, namespace: str) -> AsyncIterator[PostgresStorage]:
    opened = PostgresStorage(PostgresAddress(postgres.address), namespace)
    yield opened
    await opened.close()


@pytest.fixture
async def admin(postgres: Server) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(postgres.address)
    yield connection
    await connection.close()


async def offered(admin: Any, namespace: str) -> set[str]:
    return {row[0] for row in await admin.fetch(_OFFERED, namespace)}


async def test_no_migration_takes_away_what_code_before_it_uses(
    storage: PostgresStorage, namespace: str, admin: Any, known: Known
) -> None:
    every = migration.migrations()
    steps = []
    for count in range(1, len(every) + 1):
        known(every[:count])
        assert await storage.migrate() == [every[count - 1].name]
        steps.append(await offered(admin, namespace))
    gone = {every[index + 1].name: steps[index] - steps[index + 1] for index in range(len(steps) - 1)}
    assert {name: lost for name, lost in gone.items() if lost} == {}


@pytest.mark.parametrize(
    ("sql", "lost"),
    [
        ("DROP FUNCTION {schema}.retry_jobs", "function retry_jobs(bigint, uuid[]) gives SETOF"),
        ("ALTER TABLE {schema}.queues RENAME COLUMN name TO title", "column queues.name text"),
        ("ALTER TABLE {schema}.queues DROP COLUMN name CASCADE", "column queues.name text"),
    ],
)
async def test_what_is_taken_away_would_be_seen(
    storage: PostgresStorage, namespace: str, admin: Any, sql: str, lost: str
) -> None:
    await storage.migrate()
    before = await offered(admin, namespace)
    await admin.execute(sql.format(schema=namespace))
    gone = before - await offered(admin, namespace)
    assert any(text.startswith(lost) for text in gone), sorted(before)


async def test_code_of_before_goes_on_while_a_newer_one_migrates(
    storage: PostgresStorage, postgres: Server, namespace: str, known: Known
) -> None:
    await storage.open()
    await storage.create_queue(default_queue("default", NOW))
    done: list[str] = []
    over = asyncio.Event()

    async def work() -> None:
        while not over.is_set():
            (job_id,) = await insert(storage, job())
            (claimed,) = await claim(storage)
            await end(storage, claimed)
            assert (await storage.get_jobs([job_id]))[0] is not None
            assert len(await storage.get_queues()) == 1
            done.append(job_id)

    working = asyncio.create_task(work())
    try:
        await wait_until(lambda: len(done) >= 10, "jobs are done before")
        every = migration.migrations()
        known([*every, Migration(len(every) + 1, "remarks", _NEXT.format(schema=namespace))])
        newer = PostgresStorage(PostgresAddress(postgres.address), namespace)
        assert await newer.migrate() == ["remarks"]
        await newer.close()
        before = len(done)
        await wait_until(lambda: working.done() or len(done) >= before + 10, "jobs are done after")
    finally:
        over.set()
        await working


async def test_a_migration_that_does_not_get_a_table_at_once_holds_nobody_up(
    storage: PostgresStorage, postgres: Server, namespace: str, admin: Any, known: Known
) -> None:
    await storage.open()
    await storage.create_queue(default_queue("default", NOW))
    (job_id,) = await insert(storage, job())
    every = migration.migrations()
    known([*every, Migration(len(every) + 1, "remarks", _NEXT.format(schema=namespace))])
    newer = PostgresStorage(PostgresAddress(postgres.address), namespace)
    async with admin.transaction():
        await admin.execute(f"LOCK TABLE {namespace}.queues IN ACCESS SHARE MODE")
        migrating = asyncio.create_task(newer.migrate())

        async def waits() -> bool:
            return bool(await admin.fetchval(_WAITS, namespace))

        for _ in range(2):
            await wait_until(waits, "the migration waits for the table")
            assert (await storage.get_jobs([job_id]))[0] is not None
            assert len(await storage.get_queues()) == 1
        assert not migrating.done()
    assert await migrating == ["remarks"]
    await newer.close()
