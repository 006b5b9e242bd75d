"""Runs scripts and commands on the server: one place that gives up in time and names what went wrong."""

import asyncio
from typing import Any

from redis.asyncio import BlockingConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError, ResponseError

from gotask.storage.redis.address import Address
from gotask.storage.redis.errors import may_have_moved, storage_error
from gotask.storage.redis.master import Master
from gotask.storage.redis.scripts import script

CALL_TIMEOUT_S = 10.0
"""A call that takes longer is given up: the server is away, or not what it should be."""
REPLICAS_TIMEOUT_MS = 1_000

Command = tuple[str | bytes | int | float, ...]


class Client:
    """Runs scripts, each in one round trip. Connections that broke are replaced by new ones at the next call."""

    def __init__(self, address: Address, prefix: str) -> None:
        self._prefix = prefix
        self._master = Master(address, CALL_TIMEOUT_S)
        self._wait_replicas = address.wait_replicas

    async def close(self) -> None:
        await self._master.close()

    async def run(self, name: str, *args: str | bytes | int | float) -> Any:
        """Answers of the script ``lua/<name>.lua``; when it may write, as soon as enough replicas have it."""
        text, sha, writes = script(name)
        replicas = self._wait_replicas if writes else 0
        try:
            return await self._call(("EVALSHA", sha, 1, self._prefix, *args), replicas)
        except NoScriptError:
            return await self._call(("EVAL", text, 1, self._prefix, *args), replicas)

    async def command(self, *args: str | bytes | int | float) -> Any:
        """The answer to one command. StorageUnavailable when repeating it may help, else StorageError."""
        return await self._call(args, 0)

    async def _call(self, command: Command, replicas: int) -> Any:
        pool: BlockingConnectionPool | None = None
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                pool = await self._master.pool()
                return await self._ask(pool, command, replicas)
        except NoScriptError:
            raise
        except (RedisError, OSError) as error:
            if pool is not None and may_have_moved(error):
                await self._master.suspect(pool)
            raise storage_error(error) from error

    async def _ask(self, pool: BlockingConnectionPool, command: Command, replicas: int) -> Any:
        connection: AbstractConnection = await pool.get_connection()  # type: ignore[no-untyped-call]
        try:
            if not replicas:
                await connection.send_command(*command)
                return await connection.read_response()
            return await _ask_replicated(connection, command, replicas, f"{self._prefix}settled")
        finally:
            if self._master.is_left(pool):
                await connection.disconnect(nowait=True)
            await pool.release(connection)


async def _ask_replicated(connection: AbstractConnection, command: Command, replicas: int, channel: str) -> Any:
    """WAIT speaks of this connection's last write, so a message to nobody makes one: an answer "already so" would have
    none, and what it tells of must be on the replicas as well.
    """
    wait = ("WAIT", replicas, REPLICAS_TIMEOUT_MS)
    await connection.send_packed_command(connection.pack_commands([command, ("PUBLISH", channel, ""), wait]))
    answers = [await _answer(connection) for _ in range(3)]
    for answer in answers:
        if isinstance(answer, ResponseError):
            raise answer
    if answers[-1] < replicas:
        raise RedisConnectionError(f"{answers[-1]} of its replicas are in step; wait_replicas asks for {replicas}")
    return answers[0]


async def _answer(connection: AbstractConnection) -> Any:
    """An error of the server is an answer, too: those of the commands after it are still to be read."""
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error
