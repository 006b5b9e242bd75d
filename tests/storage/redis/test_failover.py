"""A real master, its replicas and a Sentinel: the storage follows the master."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from gotask.embedded import ServerCommand, free_port, valkey_server
from gotask.jobs.request import default_queue
from gotask.jobs.states import SUCCESS
from gotask.storage.contract import Claimed, FinishStatus, StorageUnavailable
from gotask.storage.redis import RedisStorage
from tests.storage.redis.servers import client_of, running, tell
from tests.storage.support import NOW, claim, end, job, state_of
from tests.support.servers import ServerProcess
from tests.support.waiting import wait_until_blocking

T = TypeVar("T")


class Fleet:
    """Three servers, one of which is the master, and who watches them."""

    def __init__(self, servers: Sequence[ServerProcess], sentinel: ServerProcess) -> None:
        self.servers = {str(server.command.port): server for server in servers}
        self.sentinel = sentinel

    def master(self) -> ServerProcess:
        return self.servers[tell(self.sentinel, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main")[1]]

    def replicas(self) -> list[ServerProcess]:
        master = self.master()
        return [server for server in self.servers.values() if server is not master]

    def address(self) -> str:
        """The first Sentinel of the address is away."""
        return f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{self.sentinel.command.port}/main/0"

    def wait_in_step(self) -> None:
        """Sentinel knows both replicas, and they have all that the master has."""
        wait_until_blocking(lambda: len(tell(self.sentinel, "SENTINEL", "REPLICAS", "main")) == 2, "replicas are known")
        with client_of(self.master()) as master:
            master.publish("anything", "")
            assert master.wait(2, 20_000) == 2


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    monkeypatch.setattr("gotask.storage.redis.client.REPLICAS_TIMEOUT_MS", 100)
    with ExitStack() as running_servers:
        at_once = ("--repl-diskless-sync-delay", "0")
        first = running_servers.enter_context(running(tmp_path / "a", *at_once))
        follow = (*at_once, "--replicaof", "127.0.0.1", str(first.command.port))
        others = [running_servers.enter_context(running(tmp_path / name, *follow)) for name in "bc"]
        sentinel = ServerProcess(_sentinel(tmp_path / "s", first.command.port))
        running_servers.callback(sentinel.kill)
        sentinel.start()
        yield Fleet([first, *others], sentinel)


def _sentinel(data: Path, master: int) -> ServerCommand:
    command = valkey_server(data, free_port())
    config = data / "sentinel.conf"
    config.write_text(
        f"port {command.port}\nbind 127.0.0.1\ndir {data}\n"
        f"sentinel monitor main 127.0.0.1 {master} 1\n"
        "sentinel down-after-milliseconds main 300\n"
        "sentinel failover-timeout main 3000\n"
    )
    return replace(command, name="sentinel", argv=[command.argv[0], str(config), "--sentinel"])


async def repeated(call: Callable[[], Awaitable[T]]) -> T:
    """The answer of a call that is repeated for as long as the storage says that this may help."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await call()
            except StorageUnavailable:
                await asyncio.sleep(0.02)


async def _running_job(storage: RedisStorage) -> Claimed:
    await repeated(storage.open)
    await repeated(lambda: storage.create_queue(default_queue("default", NOW)))
    spec = job()
    await repeated(lambda: storage.insert_jobs([spec], NOW))
    (claimed,) = await claim(storage)
    return claimed


async def test_the_storage_follows_the_master_when_that_dies(fleet: Fleet, namespace: str) -> None:
    storage = RedisStorage(fleet.address(), namespace)
    claimed = await _running_job(storage)
    fleet.wait_in_step()
    old = fleet.master()
    old.kill()
    assert (await repeated(lambda: end(storage, claimed))).state == SUCCESS
    assert fleet.master() is not old
    old.start()
    assert await state_of(storage, claimed.job_id) == SUCCESS
    await storage.close()


async def test_nothing_is_lost_to_a_master_that_is_replaced_while_it_runs(fleet: Fleet, namespace: str) -> None:
    """The old master takes writes for seconds after another was chosen, and then forgets them."""
    storage = RedisStorage(fleet.address(), namespace)
    claimed = await _running_job(storage)
    fleet.wait_in_step()
    old = fleet.master()
    tell(fleet.sentinel, "SENTINEL", "FAILOVER", "main")
    wait_until_blocking(lambda: fleet.master() is not old, "another is master")
    assert (await repeated(lambda: end(storage, claimed))).state == SUCCESS
    fresh = RedisStorage(fleet.address(), namespace)
    assert await state_of(fresh, claimed.job_id) == SUCCESS
    await storage.close()
    await fresh.close()


async def test_a_write_counts_when_a_replica_has_it(fleet: Fleet, namespace: str) -> None:
    storage = RedisStorage(fleet.address(), namespace)
    claimed = await _running_job(storage)
    for replica in fleet.replicas():
        replica.signal(signal.SIGSTOP)
    for _ in range(2):
        with pytest.raises(StorageUnavailable, match="wait_replicas"):
            await end(storage, claimed)
    assert await state_of(storage, claimed.job_id) == SUCCESS
    for replica in fleet.replicas():
        replica.signal(signal.SIGCONT)
    assert await repeated(lambda: end(storage, claimed)) == (FinishStatus.REPEATED, SUCCESS)
    await storage.close()


async def test_no_sentinel_or_an_unknown_name_may_pass(fleet: Fleet, namespace: str) -> None:
    for address in (f"redis+sentinel://127.0.0.1:{free_port()}/main", fleet.address().replace("main", "other")):
        storage = RedisStorage(address, namespace)
        with pytest.raises(StorageUnavailable, match="No master found"):
            await storage.ping()
        await storage.close()
