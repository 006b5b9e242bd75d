"""The Lua scripts, each a call of its own on the server."""

from importlib.resources import files
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import BusyLoadingError, ClusterDownError, ReadOnlyError, RedisError, TryAgainError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from gotask.storage.contract import StorageError, StorageUnavailable

_AWAY = (
    RedisConnectionError,
    RedisTimeoutError,
    BusyLoadingError,
    ReadOnlyError,
    ClusterDownError,
    TryAgainError,
    OSError,
)
_LUA = files(__package__) / "lua"


class Scripts:
    """Runs scripts by name, loading them again when the server has forgotten them."""

    def __init__(self, client: Redis, prefix: str) -> None:
        self._prefix = prefix
        prelude = (_LUA / "prelude.lua").read_text()
        self._scripts = {
            path.name.removesuffix(".lua"): client.register_script(prelude + path.read_text())
            for path in _LUA.iterdir()
            if path.name.endswith(".lua") and path.name != "prelude.lua"
        }

    async def run(self, name: str, *args: Any) -> Any:
        """The script's answer; one of the storage's errors when there is none."""
        try:
            return await self._scripts[name](keys=[f"{self._prefix}state"], args=[self._prefix, *args])
        except (RedisError, OSError) as error:
            raise storage_error(error) from error


def storage_error(error: Exception) -> StorageError:
    """What a failure of the client means to our callers."""
    if isinstance(error, _AWAY):
        return StorageUnavailable(f"Redis: {error or type(error).__name__}")
    return StorageError(f"Redis: {error}")
