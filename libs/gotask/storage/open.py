"""From a name in the settings to a backend."""

from typing import Protocol

from gotask.storage.contract import Storage


class StorageSettings(Protocol):
    """The settings a backend is opened from."""

    @property
    def storage(self) -> str: ...
    @property
    def namespace(self) -> str: ...
    @property
    def redis_addr(self) -> str: ...


def open_storage(settings: StorageSettings) -> Storage:
    """The backend that ``settings.storage`` names, not connected yet. ValueError for a name that is not known."""
    if settings.storage == "memory":
        from gotask.storage.memory import MemoryStorage

        return MemoryStorage()
    if settings.storage == "redis":
        from gotask.storage.redis.backend import RedisStorage

        return RedisStorage(settings.redis_addr, settings.namespace)
    raise ValueError(f"GOTASK_STORAGE: unknown storage {settings.storage!r}; known are memory, redis")
