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
    @property
    def postgres_dsn(self) -> str: ...
    @property
    def postgres_host(self) -> str: ...
    @property
    def postgres_port(self) -> int: ...
    @property
    def postgres_db(self) -> str: ...
    @property
    def postgres_user(self) -> str: ...
    @property
    def postgres_password(self) -> str: ...


def open_storage(settings: StorageSettings) -> Storage:
    """The backend that ``settings.storage`` names, not connected yet.

    ValueError names the setting: a storage that is not known, or an address that is none.
    """
    if settings.storage == "memory":
        from gotask.storage.memory import MemoryStorage

        return MemoryStorage()
    if settings.storage == "redis":
        from gotask.storage.redis.backend import RedisStorage

        try:
            return RedisStorage(settings.redis_addr, settings.namespace)
        except ValueError as error:
            raise ValueError(f"GOTASK_REDIS_ADDR: {error}") from None
    if settings.storage == "postgres":
        from gotask.storage.postgres import PostgresAddress, PostgresStorage

        address = PostgresAddress(
            settings.postgres_dsn,
            settings.postgres_host,
            settings.postgres_port,
            settings.postgres_db,
            settings.postgres_user,
            settings.postgres_password,
        )
        return PostgresStorage(address, settings.namespace)
    raise ValueError(f"GOTASK_STORAGE: unknown storage {settings.storage!r}; known are memory, redis, postgres")
