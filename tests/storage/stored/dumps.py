"""Recordings of a server's data as text, which any version of the server takes."""

import json
from typing import Any

import asyncpg
import redis.asyncio as redis

from tests.support.postgres import run

_NOT_OURS = ("\\restrict", "\\unrestrict", "SET ", "SELECT pg_catalog.set_config", "--")
"""What a dump says to its reader, other than what the schema is: newer servers than the reader's have more of it."""


async def dump_redis(address: str, prefix: str) -> str:
    """The commands that make the keys of *prefix*, a line for each; a byte is the character of its number."""
    async with redis.Redis.from_url(address) as client:
        keys = sorted([key async for key in client.scan_iter(f"{prefix}*")])
        commands = [await _command(client, key) for key in keys]
    texts = [[part.decode("latin-1") for part in command] for command in commands]
    return "[\n" + ",\n".join(json.dumps(each) for each in texts) + "\n]\n"


async def load_redis(address: str, text: str) -> None:
    client: Any = redis.Redis.from_url(address)
    async with client:
        for command in json.loads(text):
            await client.execute_command(*(part.encode("latin-1") for part in command))


async def _command(client: Any, key: bytes) -> list[bytes]:
    kind: bytes = await client.type(key)
    match kind:
        case b"string":
            return [b"SET", key, await client.get(key)]
        case b"hash":
            return [b"HSET", key, *_flat(sorted((await client.hgetall(key)).items()))]
        case b"zset":
            scored = await client.zrange(key, 0, -1, withscores=True)
            return [b"ZADD", key, *_flat((repr(score).encode(), member) for member, score in scored)]
        case b"set":
            return [b"SADD", key, *sorted(await client.smembers(key))]
        case b"list":
            return [b"RPUSH", key, *await client.lrange(key, 0, -1)]
    raise AssertionError(f"nobody knows how to record a {kind.decode()}: {key.decode(errors='replace')}")


def _flat(pairs: Any) -> list[bytes]:
    return [part for pair in pairs for part in pair]


def dump_postgres(address: str, schema: str) -> str:
    """The statements that make *schema* and fill it."""
    dumped = run(["pg_dump", f"--schema={schema}", "--inserts", "--no-owner", f"--dbname={address}"])
    lines = [line for line in dumped.splitlines() if not line.startswith(_NOT_OURS)]
    return "\n".join(line for line, before in zip(lines, ["", *lines], strict=False) if line or before) + "\n"


async def load_postgres(address: str, text: str) -> None:
    connection = await asyncpg.connect(address)
    try:
        await connection.execute("SET check_function_bodies = false")
        await connection.execute(text)
    finally:
        await connection.close()
