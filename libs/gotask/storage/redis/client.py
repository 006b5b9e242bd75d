"""Runs scripts and commands on the server: one place that gives up in time and names what went wrong."""

import asyncio
from collections.abc import Sequence
from typing import Any

from redis.asyncio import BlockingConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import NoScriptError, RedisError

from gotask.storage.redis.address import Address
from gotask.storage.redis.errors import may_have_moved, storage_error
from gotask.storage.redis.master import Master
from gotask.storage.redis.scripts import script

CALL_TIMEOUT_S = 10.0
"""A call that takes longer is given up: the server is away, or not what it should be."""


class Client:
    """Runs scripts, each in one round trip. Connections that broke are replaced by new ones at the next call."""

    def __init__(self, address: Address, prefix: str) -> None:
        self._prefix = prefix
        self._master = Master(address, CALL_TIMEOUT_S)

    async def close(self) -> None:
        await self._master.close()

    async def run(self, name: str, *args: str | bytes | int | float) -> Any:
        """Answers of the script ``lua/<name>.lua``."""
        text, sha = script(name)
        try:
            return await self._call("EVALSHA", sha, 1, self._prefix, *args)
        except NoScriptError:
            return await self.command("EVAL", text, 1, self._prefix, *args)

    async def command(self, *args: str | bytes | int | float) -> Any:
        """The answer to one command. StorageUnavailable when repeating it may help, else StorageError."""
        return await self._call(*args)

    async def _call(self, *args: Any) -> Any:
        pool: BlockingConnectionPool | None = None
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                pool = await self._master.pool()
                return await self._ask(pool, args)
        except NoScriptError:
            raise
        except (RedisError, OSError) as error:
            if pool is not None and may_have_moved(error):
                await self._master.suspect(pool)
            raise storage_error(error) from error

    async def _ask(self, pool: BlockingConnectionPool, args: Sequence[Any]) -> Any:
        connection: AbstractConnection = await pool.get_connection()  # type: ignore[no-untyped-call]
        try:
            await connection.send_command(*args)
            return await connection.read_response()
        finally:
            if self._master.is_left(pool):
                await connection.disconnect(nowait=True)
            await pool.release(connection)
