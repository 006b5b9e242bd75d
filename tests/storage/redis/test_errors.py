"""Which failures are worth a repeat: what a server may answer, word by word, and what real ones do answer."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gotask.embedded import free_port
from gotask.jobs.request import default_queue
from gotask.jobs.states import SUCCESS
from gotask.storage.contract import InsertStatus, Lease, LeaseStatus, StorageError, StorageUnavailable
from gotask.storage.redis import RedisStorage
from tests.storage.redis.fakes import answering
from tests.storage.redis.servers import configured, tell
from tests.storage.support import LEASE, NOW, claim, end, insert, job, state_of
from tests.support.servers import ServerProcess
from tests.support.waiting import wait_until

IN_A_SCRIPT = "ERR Error running script (call to f_1a2b): @user_script:12: @user_script: 12: "
PASSING = [
    "LOADING Redis is loading the dataset in memory",
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    "OOM command not allowed when used memory > 'maxmemory'.",
    "READONLY You can't write against a read only replica.",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "CLUSTERDOWN The cluster is down",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "NOREPLICAS Not enough good replicas to write.",
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
    "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
    "ERR max number of clients reached",
    f"{IN_A_SCRIPT}-READONLY You can't write against a read only replica.",
    f"{IN_A_SCRIPT}-OOM command not allowed when used memory > 'maxmemory'.",
    f"{IN_A_SCRIPT}-NOREPLICAS Not enough good replicas to write.",
    "ERR Error running script (call to f_1a2b): @user_script:1: Script killed by user with SCRIPT KILL...",
]
FAULTS = [
    "WRONGTYPE Operation against a key holding the wrong kind of value",
    "ERR unknown command 'EVALSHA'",
    "ERR DB index is out of range",
    "NOAUTH Authentication required.",
    "WRONGPASS invalid username-password pair or user is disabled.",
    "NOPERM this user has no permissions to run the 'evalsha' command",
    "MOVED 3999 10.0.0.1:6381",
    "CROSSSLOT Keys in request don't hash to the same slot",
    f"{IN_A_SCRIPT}attempt to index a nil value",
]


@pytest.mark.parametrize("line", PASSING)
async def test_what_passes_by_itself_is_worth_a_repeat(line: str) -> None:
    async with answering(f"-{line}\r\n") as storage:
        for _ in range(2):
            with pytest.raises(StorageUnavailable):
                await storage.ping()


@pytest.mark.parametrize("line", FAULTS)
async def test_a_fault_is_not_worth_a_repeat(line: str) -> None:
    async with answering(f"-{line}\r\n") as storage:
        with pytest.raises(StorageError) as fault:
            await storage.ping()
        assert not isinstance(fault.value, StorageUnavailable)


async def test_a_server_of_another_kind_is_a_fault() -> None:
    async with answering("HTTP/1.1 400 Bad Request\r\n\r\n") as storage:
        with pytest.raises(StorageError) as fault:
            await storage.ping()
        assert not isinstance(fault.value, StorageUnavailable)


@pytest.mark.parametrize("host", ["127.0.0.1", "nowhere.invalid"])
async def test_where_nobody_answers_a_repeat_may_help(host: str) -> None:
    storage = RedisStorage(f"{host}:{free_port()}", "t")
    with pytest.raises(StorageUnavailable):
        await storage.open()
    await storage.close()


async def test_a_server_that_says_nothing_is_given_up_and_asked_anew(
    server: ServerProcess, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = RedisStorage(server.address, namespace)
    await storage.get_queues()
    with monkeypatch.context() as patience:
        patience.setattr("gotask.storage.redis.client.CALL_TIMEOUT_S", 0.1)
        tell(server, "CLIENT", "PAUSE", 60_000, "WRITE")
        with pytest.raises(StorageUnavailable, match="too late"):
            await storage.get_queues()
        tell(server, "CLIENT", "UNPAUSE")
    assert await storage.get_queues() == []
    await storage.close()


@pytest.fixture
async def storage(server: ServerProcess, namespace: str) -> AsyncIterator[RedisStorage]:
    opened = RedisStorage(server.address, namespace)
    await opened.open()
    await opened.create_queue(default_queue("default", NOW))
    yield opened
    await opened.close()


async def test_a_replica_is_passed_by_until_it_is_master(server: ServerProcess, storage: RedisStorage) -> None:
    spec = job()
    tell(server, "REPLICAOF", "127.0.0.1", free_port())
    with pytest.raises(StorageUnavailable):
        await storage.insert_jobs([spec], NOW)
    with configured(server, replica_serve_stale_data="no"), pytest.raises(StorageUnavailable):
        await storage.get_jobs([spec.id])
    tell(server, "REPLICAOF", "NO", "ONE")
    (inserted,) = await storage.insert_jobs([spec], NOW)
    assert inserted.status is InsertStatus.CREATED


async def test_a_server_busy_with_a_script_is_waited_for(server: ServerProcess, storage: RedisStorage) -> None:
    with configured(server, lua_time_limit=10):
        endless = asyncio.create_task(asyncio.to_thread(_run_endless_script, server))
        await wait_until(lambda: _is_unavailable(storage), "the server is busy")
        tell(server, "SCRIPT", "KILL")
        assert "kill" in (await endless).lower()
    await storage.ping()


async def _is_unavailable(storage: RedisStorage) -> bool:
    try:
        await storage.ping()
    except StorageUnavailable:
        return True
    return False


def _run_endless_script(server: ServerProcess) -> str:
    try:
        tell(server, "EVAL", "while true do end", 0)
    except Exception as killed:
        return str(killed)
    return "ended"


async def test_too_few_replicas_to_write_to_may_pass(server: ServerProcess, storage: RedisStorage) -> None:
    with configured(server, min_replicas_to_write=1), pytest.raises(StorageUnavailable):
        await storage.open()
    await storage.open()


async def test_too_many_connections_may_pass(server: ServerProcess, storage: RedisStorage, namespace: str) -> None:
    late = RedisStorage(server.address, namespace)
    with configured(server, maxclients=1), pytest.raises(StorageUnavailable):
        await late.ping()
    await late.ping()
    await late.close()


async def test_a_full_server_refuses_new_jobs_and_lets_old_ones_end(
    server: ServerProcess, storage: RedisStorage
) -> None:
    ids = await insert(storage, job(), job(), job())
    first, second = await claim(storage, 2)
    await storage.cancel(ids[2:], NOW)
    with configured(server, maxmemory=1):
        refused = job()
        with pytest.raises(StorageUnavailable):
            await storage.insert_jobs([refused], NOW)
        assert await storage.get_jobs([refused.id]) == [None]
        held = [Lease(second.job_id, "default", 1)]
        assert await storage.extend_leases(held, [NOW + LEASE]) == [LeaseStatus.EXTENDED]
        await end(storage, first)
        assert (await storage.delete(ids[2:]))[0].changed
        assert await storage.prune(NOW + 10**15, 10) == 1
    await end(storage, second)
    assert await state_of(storage, second.job_id) == SUCCESS


async def test_connections_cut_by_the_server_are_replaced_at_once(server: ServerProcess, storage: RedisStorage) -> None:
    await asyncio.gather(*(storage.ping() for _ in range(8)))
    tell(server, "CLIENT", "KILL", "TYPE", "normal")
    told = await asyncio.gather(*(storage.ping() for _ in range(8)), return_exceptions=True)
    assert all(one is None or isinstance(one, StorageUnavailable) for one in told)
    await asyncio.gather(*(storage.ping() for _ in range(8)))
