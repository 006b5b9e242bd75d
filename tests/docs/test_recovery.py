"""The drill of docs/operations/recovery.md for Valkey: what was in the backup is there again, and goes on."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import redis

from gotask.storage.redis.backend import RedisStorage
from tests.storage.support import NOW, SECOND, add_queue, insert, job
from tests.support.servers import ServerProcess


async def test_a_copy_of_the_append_only_file_is_a_backup(own_valkey: ServerProcess, tmp_path: Path) -> None:
    live, backup = Path(own_valkey.command.data) / "appendonlydir", tmp_path / "backup"
    async with opened(own_valkey.address) as storage:
        await add_queue(storage, "default")
        kept = await insert(storage, *(job(scheduled_at_us=NOW + SECOND) for _ in range(100)))
        with redis.Redis.from_url(own_valkey.address) as server:
            server.config_set("auto-aof-rewrite-percentage", 0)
            assert server.info("persistence")["aof_rewrite_in_progress"] == 0
            shutil.copytree(live, backup)
        (lost,) = await insert(storage, job())

    own_valkey.kill()
    shutil.rmtree(live)
    shutil.copytree(backup, live)
    own_valkey.start()

    async with opened(own_valkey.address) as storage:
        *found, gone = await storage.get_jobs([*kept, lost])
        assert all(found)
        assert gone is None
        due = await storage.due_jobs(NOW + SECOND, 200)
        assert {each.job_id for each in due} == set(kept)


@asynccontextmanager
async def opened(address: str) -> AsyncIterator[RedisStorage]:
    storage = RedisStorage(address, "drill")
    await storage.open()
    try:
        yield storage
    finally:
        await storage.close()
