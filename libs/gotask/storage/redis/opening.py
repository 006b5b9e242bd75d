"""What is checked before the first call: the server, its settings, the version of the data."""

import structlog

from gotask.storage.contract import StorageError, StorageUnavailable
from gotask.storage.redis.client import Client

_log = structlog.get_logger("gotask.storage")

FORMAT = "1"
"""Version of the keys and records; raised when older code could not read them."""


_OLDEST = (6, 2)


async def prepare(client: Client, prefix: str) -> None:
    """StorageError when the server is too old, could drop jobs, or holds data of another version."""
    await client.command("PING")
    await _check_server(client)
    await client.command("SET", f"{prefix}format", FORMAT, "NX")
    found = (await client.command("GET", f"{prefix}format")).decode()
    if found != FORMAT:
        raise StorageError(f"Redis holds data of format {found} under {prefix}; this version reads format {FORMAT}")


async def _check_server(client: Client) -> None:
    try:
        answer: bytes = await client.command("INFO")
    except StorageUnavailable:
        raise
    except StorageError as error:
        _log.warning("Redis does not tell its settings: see to it that it evicts no keys", error=str(error))
        return
    info = dict(line.split(":", 1) for line in answer.decode().splitlines() if ":" in line)
    _check_version(info.get("redis_version", ""))
    _check_eviction(info.get("maxmemory", "0"), info.get("maxmemory_policy", "noeviction"))
    if info.get("aof_enabled") == "0" and await _never_saves(client):
        _log.warning("Redis keeps nothing on disk: jobs are lost when it stops; set appendonly to yes")


def _check_version(version: str) -> None:
    numbers = [int(part) for part in version.split(".")[:2] if part.isdecimal()]
    if len(numbers) == len(_OLDEST) and tuple(numbers) < _OLDEST:
        raise StorageError(f"Redis {version} is too old: 6.2 or newer is needed, or Valkey")


def _check_eviction(maxmemory: str, policy: str) -> None:
    """The volatile policies drop only keys that expire, and no job is kept in one."""
    if maxmemory != "0" and policy.startswith("allkeys"):
        raise StorageError(f"Redis may drop jobs: set its maxmemory-policy to noeviction instead of {policy}")


async def _never_saves(client: Client) -> bool:
    """Whether it writes no snapshots, as far as it tells."""
    try:
        answer: list[bytes] = await client.command("CONFIG", "GET", "save")
    except StorageUnavailable:
        raise
    except StorageError:
        return False
    return answer[1:] == [b""]
