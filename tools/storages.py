"""Storages to measure, each with a server of its own in a temporary folder."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import psutil
import redis.asyncio as redis

from gotask.embedded import ServerCommand, free_port, postgres_server, valkey_server
from gotask.storage.contract import Storage
from gotask.storage.memory import MemoryStorage
from gotask.storage.postgres import PostgresAddress, PostgresStorage
from gotask.storage.redis import RedisStorage
from tests.support.servers import ServerProcess
from tests.support.waiting import wait_until

_PATIENCE_S = 60
_LOOKS = 1_000


@dataclass(frozen=True)
class Served:
    """A storage that is not open yet, and its server.

    What the jobs take there, in bytes (of memory; Postgres: of disk); a wait until it does nothing in the background
    and puts nothing off.
    """

    storage: Storage
    memory_bytes: Callable[[], Awaitable[int]]
    settle: Callable[[], Awaitable[None]]


@asynccontextmanager
async def _memory() -> AsyncIterator[Served]:
    async def resident() -> int:
        return int(psutil.Process().memory_info().rss)

    async def settle() -> None:
        return

    yield Served(MemoryStorage(), resident, settle)


@asynccontextmanager
async def _redis() -> AsyncIterator[Served]:
    with TemporaryDirectory() as folder, _running(valkey_server(Path(folder), free_port())) as address:
        async with redis.Redis.from_url(address) as client:

            async def used() -> int:
                return int((await client.info("memory"))["used_memory"])

            async def is_idle() -> bool:
                return not (await client.info("persistence"))["aof_rewrite_in_progress"]

            async def settle() -> None:
                await wait_until(is_idle, "the log is rewritten", _PATIENCE_S)
                await _finish_growing(client)

            storage = RedisStorage(address, "bench")
            yield Served(storage, used, settle)
            await storage.close()


async def _finish_growing(client: redis.Redis) -> None:
    """Looks up what is not there, until no table grows.

    A server moves a table to one of twice the size bit by bit, a bit with each look; looks cost more meanwhile.
    """
    nobody = ["nobody"] * _LOOKS
    async for key in client.scan_iter():
        match await client.type(key):
            case b"hash":
                for _ in range(0, await client.hlen(key), _LOOKS):
                    await client.hmget(key, nobody)
            case b"zset":
                for _ in range(0, await client.zcard(key), _LOOKS):
                    await client.zmscore(key, nobody)


@asynccontextmanager
async def _postgres() -> AsyncIterator[Served]:
    with TemporaryDirectory() as folder, _running(postgres_server(Path(folder), free_port())) as address:
        connection = await asyncpg.connect(address)

        async def used() -> int:
            return int(await connection.fetchval("SELECT pg_database_size(current_database())"))

        async def settle() -> None:
            await connection.execute("CHECKPOINT")

        storage = PostgresStorage(PostgresAddress(address), "bench")
        yield Served(storage, used, settle)
        await storage.close()
        await connection.close()


@contextmanager
def _running(command: ServerCommand) -> Iterator[str]:
    server = ServerProcess(command)
    server.start()
    try:
        yield server.address
    finally:
        server.kill()


STORAGES: dict[str, Callable[[], AbstractAsyncContextManager[Served]]] = {
    "memory": _memory,
    "redis": _redis,
    "postgres": _postgres,
}
