"""What is looked at before the first call."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog

from gotask.jobs.request import default_queue
from gotask.storage.contract import StorageError, StorageUnavailable
from gotask.storage.redis import RedisStorage
from tests.storage.redis.servers import configured, running, tell
from tests.storage.support import NOW
from tests.support.servers import ServerProcess


@asynccontextmanager
async def _storage(address: str, namespace: str) -> AsyncIterator[RedisStorage]:
    storage = RedisStorage(address, namespace)
    yield storage
    await storage.close()


async def _refusal(address: str, namespace: str) -> str:
    async with _storage(address, namespace) as storage:
        with pytest.raises(StorageError) as refused:
            await storage.open()
    assert not isinstance(refused.value, StorageUnavailable)
    return str(refused.value)


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-lfu", "allkeys-random"])
async def test_a_server_that_may_drop_jobs_is_refused(server: ServerProcess, namespace: str, policy: str) -> None:
    with configured(server, maxmemory=1 << 30, maxmemory_policy=policy):
        assert f"noeviction instead of {policy}" in await _refusal(server.address, namespace)


@pytest.mark.parametrize(("limit", "policy"), [(1 << 30, "noeviction"), (1 << 30, "volatile-lru"), (0, "allkeys-lru")])
async def test_a_server_that_cannot_drop_jobs_is_taken(
    server: ServerProcess, namespace: str, limit: int, policy: str
) -> None:
    with configured(server, maxmemory=limit, maxmemory_policy=policy):
        async with _storage(server.address, namespace) as storage:
            await storage.open()


@pytest.mark.parametrize(
    ("settings", "warned"),
    [
        ({"appendonly": "no", "save": ""}, True),
        ({"appendonly": "yes", "save": ""}, False),
        ({"appendonly": "no", "save": "3600 1"}, False),
    ],
)
async def test_a_server_that_keeps_nothing_on_disk_is_warned_of(
    server: ServerProcess, namespace: str, settings: dict[str, str], warned: bool
) -> None:
    with configured(server, **settings), structlog.testing.capture_logs() as logs:
        async with _storage(server.address, namespace) as storage:
            await storage.open()
    assert [log["log_level"] for log in logs if "keeps nothing on disk" in log["event"]] == ["warning"] * warned


async def test_data_of_another_version_is_refused(server: ServerProcess, namespace: str) -> None:
    tell(server, "SET", f"{{{namespace}}}:format", "99")
    assert "format 99" in await _refusal(server.address, namespace)


async def test_a_database_that_the_server_does_not_have_is_refused(server: ServerProcess, namespace: str) -> None:
    assert "DB index" in await _refusal(f"{server.address.removesuffix('/0')}/99", namespace)


async def test_databases_and_namespaces_are_kept_apart(server: ServerProcess, namespace: str) -> None:
    addresses = [
        (server.address, namespace),
        (f"127.0.0.1:{server.command.port}/3", namespace),
        (server.address, f"{namespace}x"),
    ]
    for address, name in addresses:
        async with _storage(address, name) as storage:
            await storage.open()
            assert await storage.create_queue(default_queue("default", NOW))


async def test_credentials_are_needed_and_used(tmp_path: Path, namespace: str) -> None:
    with running(tmp_path, "--requirepass", "p@ss") as server:
        port = server.command.port
        assert "credentials" in await _refusal(f"127.0.0.1:{port}", namespace)
        assert "credentials" in await _refusal(f"redis://:wrong@127.0.0.1:{port}", namespace)
        tell(
            server,
            "ACL",
            "SETUSER",
            "gotask",
            "on",
            ">w%rd",
            f"~{{{namespace}}}:*",
            "+@all",
            "-info",
            "-config",
            password="p@ss",
        )
        with structlog.testing.capture_logs() as logs:
            for who in (":p%40ss", "gotask:w%25rd"):
                async with _storage(f"redis://{who}@127.0.0.1:{port}/0", namespace) as storage:
                    await storage.open()
                    await storage.get_queues()
        assert len([log for log in logs if "does not tell its settings" in log["event"]]) == 1
        assert "permissions" in await _refusal(f"redis://gotask:w%25rd@127.0.0.1:{port}/0", "another")
