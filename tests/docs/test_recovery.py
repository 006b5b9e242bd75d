"""The drill of docs/operations/recovery.md: what was in the backup is there again, and goes on."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import redis

from gotask.storage.contract import Storage
from gotask.storage.postgres import PostgresAddress, PostgresStorage
from gotask.storage.redis import RedisStorage
from tests.storage.support import NOW, SECOND, add_queue, insert, job
from tests.support.postgres import run, tell
from tests.support.servers import Server, ServerProcess


async def test_a_copy_of_the_append_only_file_is_a_backup(own_valkey: ServerProcess, tmp_path: Path) -> None:
    live, backup = Path(own_valkey.command.data) / "appendonlydir", tmp_path / "backup"
    async with opened(RedisStorage(own_valkey.address, "drill")) as storage:
        kept = await fill(storage)
        with redis.Redis.from_url(own_valkey.address) as server:
            server.config_set("auto-aof-rewrite-percentage", 0)
            assert server.info("persistence")["aof_rewrite_in_progress"] == 0
            shutil.copytree(live, backup)
        (lost,) = await insert(storage, job())

    own_valkey.kill()
    shutil.rmtree(live)
    shutil.copytree(backup, live)
    own_valkey.start()

    async with opened(RedisStorage(own_valkey.address, "drill")) as storage:
        await check(storage, kept, lost)


async def test_a_dump_of_the_schema_is_a_backup(postgres: Server, namespace: str, tmp_path: Path) -> None:
    backup = tmp_path / "gotask.sql"
    async with opened(PostgresStorage(PostgresAddress(postgres.address), namespace)) as storage:
        kept = await fill(storage)
        run(["pg_dump", f"--schema={namespace}", f"--file={backup}", postgres.address])
        (lost,) = await insert(storage, job())

    tell(postgres.address, f"DROP SCHEMA {namespace} CASCADE")
    run(["psql", "--quiet", "--set=ON_ERROR_STOP=1", f"--file={backup}", postgres.address])

    async with opened(PostgresStorage(PostgresAddress(postgres.address), namespace)) as storage:
        await check(storage, kept, lost)


@asynccontextmanager
async def opened(storage: Storage) -> AsyncIterator[Storage]:
    await storage.open()
    try:
        yield storage
    finally:
        await storage.close()


async def fill(storage: Storage) -> list[str]:
    await add_queue(storage, "default")
    return await insert(storage, *(job(scheduled_at_us=NOW + SECOND) for _ in range(100)))


async def check(storage: Storage, kept: list[str], lost: str) -> None:
    *found, gone = await storage.get_jobs([*kept, lost])
    assert all(found)
    assert gone is None
    due = await storage.due_jobs(NOW + SECOND, 200)
    assert {each.job_id for each in due} == set(kept)
