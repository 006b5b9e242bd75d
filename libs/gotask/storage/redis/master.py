"""Where the server is that takes writes: at the address, or where Sentinels say that it is now."""

import asyncio
from contextlib import suppress

from redis.asyncio import BlockingConnectionPool, Sentinel
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gotask.storage.redis.address import Address

MAX_CONNECTIONS = 32
_SENTINEL_TIMEOUT_S = 2.0
"""A Sentinel that does not answer in this time is passed over."""
_CLOSE_TIMEOUT_S = 1.0


class Master:
    """The pool of connections to the master. A pool under suspicion is left, and the next one made anew."""

    def __init__(self, address: Address, connect_timeout_s: float) -> None:
        self._address = address
        self._connect_timeout_s = connect_timeout_s
        self._sentinel = _sentinel(address) if address.sentinels else None
        self._pool: BlockingConnectionPool | None = None
        self._finding = asyncio.Lock()

    async def close(self) -> None:
        if self._pool is not None:
            await self.suspect(self._pool)
        if self._sentinel is not None:
            for sentinel in self._sentinel.sentinels:
                await sentinel.aclose()

    async def pool(self) -> BlockingConnectionPool:
        """The pool to take a connection from."""
        if self._pool is not None:
            return self._pool
        async with self._finding:
            if self._pool is None:
                self._pool = await self._new_pool()
            return self._pool

    def is_left(self, pool: BlockingConnectionPool) -> bool:
        """Whether nobody will take a connection from *pool* any more."""
        return pool is not self._pool

    async def suspect(self, pool: BlockingConnectionPool) -> None:
        """Leaves *pool*: there was a failover, or its host's name may mean another server by now."""
        if pool is self._pool:
            self._pool = None
            with suppress(OSError, RedisError):
                async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                    await pool.disconnect(inuse_connections=False)

    async def _new_pool(self) -> BlockingConnectionPool:
        options = {
            "max_connections": MAX_CONNECTIONS,
            "timeout": self._connect_timeout_s,
            "socket_connect_timeout": self._connect_timeout_s,
            "socket_timeout": None,
            "socket_keepalive": True,
            "protocol": 2,
            **self._address.options,
        }
        if self._sentinel is not None:
            options["host"], options["port"] = await self._sentinel.discover_master(self._address.master)
        return BlockingConnectionPool(**options)


def _sentinel(address: Address) -> Sentinel:
    options = {
        "socket_connect_timeout": _SENTINEL_TIMEOUT_S,
        "socket_timeout": _SENTINEL_TIMEOUT_S,
        "retry": Retry(NoBackoff(), 0),
        **address.sentinel_options,
    }
    return Sentinel(address.sentinels, sentinel_kwargs=options)  # type: ignore[no-untyped-call]
