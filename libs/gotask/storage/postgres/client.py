"""The connections to the database: one place that runs queries and knows what their errors mean."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from gotask.storage.contract import StorageError
from gotask.storage.postgres.address import PostgresAddress
from gotask.storage.postgres.connection import Connection
from gotask.storage.postgres.errors import FAILURES, spoils_connection, translated, was_rolled_back

CALL_TIMEOUT_S = 10.0
"""A call that takes longer is given up: the server is away, or not what it should be."""
MAX_CONNECTIONS = 16
_TRIES = 5


class Client:
    """Runs queries, each in one round trip. Connections that broke are replaced by new ones at the next call."""

    def __init__(self, address: PostgresAddress, application: str) -> None:
        self._arguments = {
            **address.arguments(),
            "timeout": CALL_TIMEOUT_S,
            "max_cached_statement_lifetime": 0,
            "connection_class": Connection,
            "server_settings": {"application_name": application},
        }
        self._pool: Any = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """A connection for work that is more than a call, and may take longer."""
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                pool, connection = await self._acquire()
        except FAILURES as error:
            raise translated(error) from error
        try:
            yield connection
        except BaseException:
            connection.terminate()
            raise
        finally:
            await pool.release(connection)

    async def close(self) -> None:
        """Cuts all connections; what is under way is given up."""
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None

    async def rows(self, query: str, *args: Any) -> Any:
        """The rows that *query* answers. StorageUnavailable when repeating it may help, else StorageError."""
        for tries_left in reversed(range(_TRIES)):
            try:
                async with asyncio.timeout(CALL_TIMEOUT_S):
                    return await self._ask(query, args)
            except FAILURES as error:
                if tries_left and was_rolled_back(error):
                    continue
                raise translated(error) from error
        raise AssertionError

    async def value(self, query: str, *args: Any) -> Any:
        """The first column of the first row."""
        return (await self.rows(query, *args))[0][0]

    async def _ask(self, query: str, args: tuple[Any, ...]) -> Any:
        pool, connection = await self._acquire()
        try:
            return await connection.fetch(query, *args)
        except BaseException as error:
            if spoils_connection(error):
                connection.terminate()
            raise
        finally:
            await pool.release(connection)

    async def _acquire(self) -> tuple[Any, Any]:
        """A connection, and the pool that it is to be given back to."""
        if self._pool is None:
            self._pool = asyncpg.create_pool(min_size=0, max_size=MAX_CONNECTIONS, **self._arguments)
        pool = await self._pool
        try:
            return pool, await pool.acquire()
        except ValueError:
            # The library's text quotes parts of the connection string, and so may hold the password.
            raise StorageError(
                "GOTASK_POSTGRES_DSN is not a connection string: use postgresql://user:password@host:port/db"
            ) from None
