"""The connections to the server: one place that runs scripts and knows what its errors mean."""

import asyncio
import re
from collections.abc import Sequence
from typing import Any

from redis.asyncio import BlockingConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import AuthenticationError, AuthorizationError, NoScriptError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from gotask.storage.contract import StorageError, StorageUnavailable
from gotask.storage.redis.scripts import script

CALL_TIMEOUT_S = 10.0
"""A call that takes longer is given up: the server is away, or not what it should be."""
MAX_CONNECTIONS = 32

# What a server answers that may serve the same call in a while: it is loading, busy, full, failing over or a replica.
_PASSING = re.compile(
    r"\b(LOADING|BUSY|OOM|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|MISCONF|UNBLOCKED|"
    r"max number of clients reached)\b"
)


class Client:
    """Runs scripts, each in one round trip. Connections that broke are replaced by new ones at the next call."""

    def __init__(self, url: str, prefix: str) -> None:
        self._prefix = prefix
        self._pool = BlockingConnectionPool.from_url(
            url,
            max_connections=MAX_CONNECTIONS,
            timeout=CALL_TIMEOUT_S,
            socket_timeout=None,
            socket_connect_timeout=CALL_TIMEOUT_S,
            protocol=2,
        )

    async def close(self) -> None:
        await self._pool.disconnect()

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
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                return await self._ask(args)
        except NoScriptError:
            raise
        except (AuthenticationError, AuthorizationError) as error:
            raise StorageError(f"Redis refuses the credentials: {error}") from error
        except (RedisConnectionError, RedisTimeoutError, OSError) as error:
            raise StorageUnavailable(f"Redis does not answer: {error or type(error).__name__}") from error
        except ResponseError as error:
            kind = StorageUnavailable if _PASSING.search(str(error)) else StorageError
            raise kind(f"Redis answered: {error}") from error
        except RedisError as error:
            raise StorageUnavailable(f"the connection to Redis failed: {error}") from error

    async def _ask(self, args: Sequence[Any]) -> Any:
        connection: AbstractConnection = await self._pool.get_connection()  # type: ignore[no-untyped-call]
        try:
            await connection.send_command(*args)
            return await connection.read_response()
        finally:
            await self._pool.release(connection)
