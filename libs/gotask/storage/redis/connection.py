"""The client: where the server is, and whether it may be trusted with jobs."""

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from gotask.storage.contract import StorageError
from gotask.storage.redis.scripts import storage_error

_log = structlog.get_logger("gotask.storage")

_TIMEOUT_S = 10
_CONNECTIONS = 16


def make_client(address: str) -> Redis:
    """A client for *address*: host:port, or a redis:// or rediss:// URL.

    It repeats nothing by itself: whether a call was applied before its connection broke matters to the caller.
    """
    url = address if "://" in address else f"redis://{address}"
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_CONNECTIONS,
        timeout=_TIMEOUT_S,
        socket_timeout=_TIMEOUT_S,
        socket_connect_timeout=5,
        retry=Retry(NoBackoff(), 0),
    )
    return Redis(connection_pool=pool)


async def check_server(client: Redis) -> None:
    """StorageError when the server may drop jobs for want of memory; a warning when it keeps nothing on disk."""
    try:
        settings = await client.config_get("maxmemory", "maxmemory-policy", "appendonly", "save")
    except ResponseError:
        # A managed server that does not tell.
        return
    except (RedisError, OSError) as error:
        raise storage_error(error) from error
    told = {_text(name): _text(value) for name, value in settings.items()}
    policy = told.get("maxmemory-policy", "noeviction")
    if told.get("maxmemory", "0") != "0" and policy != "noeviction":
        raise StorageError(
            f"Redis may drop jobs: its maxmemory-policy is {policy!r}; set it to noeviction, so that it refuses "
            "writes when its memory is full"
        )
    if told.get("appendonly") == "no" and not told.get("save"):
        _log.warning("Redis keeps nothing on disk: jobs are lost when it stops; set appendonly yes")


def _text(value: bytes | str | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""
