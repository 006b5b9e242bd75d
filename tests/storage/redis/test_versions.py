"""Other servers than Valkey do the same: the redis-server on PATH, and those that the environment names.

``GOTASK_TEST_REDIS_SERVERS=/opt/redis-6.2/redis-server:/opt/redis-7/redis-server``. The whole suite runs against
another server when the folder of its ``redis-server`` comes first in PATH.
"""

import dataclasses
import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gotask import v1
from gotask.embedded import free_port, valkey_server
from gotask.storage.contract import ScheduleChange, ScheduleStatus, StorageError, StorageUnavailable
from gotask.storage.redis import RedisStorage
from tests.storage.comparison import compare
from tests.storage.redis.fakes import answering
from tests.storage.support import NOW
from tests.support.servers import ServerProcess

NAMED = os.environ.get("GOTASK_TEST_REDIS_SERVERS", "").split(":")
BINARIES = [*filter(None, dict.fromkeys([*NAMED, shutil.which("redis-server") or ""]))]
HISTORIES = 20


@pytest.fixture(params=BINARIES or [""], scope="module")
def other(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of another make."""
    if not request.param:
        pytest.skip("no redis-server on PATH, and GOTASK_TEST_REDIS_SERVERS names none")
    data: Path = tmp_path_factory.mktemp("other")
    command = valkey_server(data, free_port())
    server = ServerProcess(dataclasses.replace(command, argv=[request.param, *command.argv[1:]]))
    server.start()
    yield server
    server.kill()


def test_another_server_does_what_the_model_does(other: ServerProcess) -> None:
    numbers = itertools.count()
    compare(lambda: RedisStorage(other.address, f"model-{next(numbers)}"), HISTORIES)


async def test_another_server_keeps_what_the_model_does_not_know(other: ServerProcess, namespace: str) -> None:
    storage = RedisStorage(other.address, namespace)
    await storage.open()
    schedule = v1.Schedule(id="s", name="nightly", next_fire_at_us=NOW)
    assert await storage.create_schedule(schedule)
    assert await storage.take_schedules(NOW, NOW + 1, 5) == [schedule]
    assert await storage.change_schedules([ScheduleChange(schedule)], NOW) == [ScheduleStatus.CHANGED]
    assert await storage.delete_schedule("s")
    await storage.put_workers([v1.WorkerInfo(id="w")], NOW + 1)
    assert await storage.list_workers(NOW) == [v1.WorkerInfo(id="w")]
    assert await storage.list_workers(NOW + 1) == []
    await storage.close()


async def test_a_server_that_is_too_old_is_refused() -> None:
    info = "redis_version:6.0.16\r\nmaxmemory:0\r\n"
    async with answering(f"${len(info)}\r\n{info}\r\n") as storage:
        with pytest.raises(StorageError, match=r"Redis 6\.0\.16 is too old: 6\.2") as refused:
            await storage.open()
    assert not isinstance(refused.value, StorageUnavailable)
