"""What is checked before the first call: the address, the server's settings, the version of the data."""

from typing import Any

import structlog

from gotask.storage.contract import StorageError, StorageUnavailable
from gotask.storage.redis.client import Client

_log = structlog.get_logger("gotask.storage")

FORMAT = "1"
"""Version of the keys and records; raised when older code could not read them."""


def url_of(address: str) -> str:
    """A URL for an address that is one, or ``host:port``."""
    return address if "://" in address else f"redis://{address}/0"


async def prepare(client: Client, prefix: str) -> None:
    """StorageError when the server could drop jobs, or holds data of another version."""
    await _check_settings(client)
    await client.command("SET", f"{prefix}format", FORMAT, "NX")
    found = (await client.command("GET", f"{prefix}format")).decode()
    if found != FORMAT:
        raise StorageError(f"Redis holds data of format {found} under {prefix}; this version reads format {FORMAT}")


async def _check_settings(client: Client) -> None:
    settings = await _settings(client)
    policy = settings.get("maxmemory-policy", "noeviction")
    if settings.get("maxmemory", "0") != "0" and policy != "noeviction":
        raise StorageError(f"Redis may drop jobs: set its maxmemory-policy to noeviction instead of {policy}")
    if settings.get("appendonly") == "no" and settings.get("save") == "":
        _log.warning("Redis keeps nothing on disk: jobs are lost when it stops; set appendonly to yes")


async def _settings(client: Client) -> dict[str, str]:
    """Those that matter here; none where the server does not tell."""
    settings: dict[str, str] = {}
    for name in ("maxmemory", "maxmemory-policy", "appendonly", "save"):
        try:
            answer: Any = await client.command("CONFIG", "GET", name)
        except StorageUnavailable:
            raise
        except StorageError:
            return {}
        settings |= {answer[i].decode(): answer[i + 1].decode() for i in range(0, len(answer), 2)}
    return settings
