"""Brings the schema to the version that this code needs: ``migrations/<version>_<name>.sql``, each applied once."""

import asyncio
import random
import time
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import asyncpg

from gotask.storage.contract import StorageError
from gotask.storage.postgres.errors import FAILURES, translated
from gotask.storage.postgres.schema import quoted

_TABLE = """
CREATE TABLE IF NOT EXISTS migrations (
    version int PRIMARY KEY,
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)"""

_LOCK_TIMEOUT = "500ms"
"""Shorter than the second after which PostgreSQL ends one of two that wait for each other: it is never a service that
works, and those that came after us for a table never wait longer for it."""
_BUSY = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)
_PATIENCE_S = 60
_PAUSE_S = 0.2


class Migration(NamedTuple):
    version: int
    name: str
    sql: str


class Applied(NamedTuple):
    """A migration, and when it was applied (as text; empty: not yet)."""

    version: int
    name: str
    applied_at: str


@cache
def migrations() -> list[Migration]:
    """All of this version, in order."""
    folder = files("gotask.storage.postgres") / "migrations"
    found = []
    for file in folder.iterdir():
        version, _, name = file.name.removesuffix(".sql").partition("_")
        if version.isdigit():
            found.append(Migration(int(version), name, file.read_text("utf-8")))
    return sorted(found)


async def migrate(connection: Any, namespace: str) -> list[str]:
    """Applies what is missing, all or nothing; the names of what was applied. Safe from several processes at once.

    Services of the version before may work meanwhile: where a table is not to be had at once, everything is given back
    and tried again, for a minute.

    StorageError when the schema is newer than this code, when the role may not change it, or when the database cannot
    hold it.
    """
    end = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return await _migrate(connection, namespace)
        except FAILURES as error:
            if not isinstance(error, _BUSY) or time.monotonic() > end:
                raise translated(error) from error
        await asyncio.sleep(_PAUSE_S * random.uniform(0.5, 1.5))


async def _migrate(connection: Any, namespace: str) -> list[str]:
    if await _is_current(connection, namespace):
        return []
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"gotask:{namespace}")
        await connection.execute(f"SET LOCAL lock_timeout TO '{_LOCK_TIMEOUT}'")
        return await _apply(connection, namespace)


async def status(connection: Any, namespace: str) -> list[Applied]:
    """Every migration, applied or not."""
    try:
        applied = await _applied(connection, namespace)
    except FAILURES as error:
        raise translated(error) from error
    known = {migration.version: migration.name for migration in migrations()}
    names = {**known, **{version: name for version, (name, _) in applied.items()}}
    return [
        Applied(version, name, applied[version][1] if version in applied else "")
        for version, name in sorted(names.items())
    ]


async def _is_current(connection: Any, namespace: str) -> bool:
    applied = set(await _applied(connection, namespace))
    known = {migration.version for migration in migrations()}
    if newer := applied - known:
        raise StorageError(
            f"the schema {namespace} has version {max(newer)}; this GoTask knows {max(known)}: use a newer one"
        )
    return applied == known


async def _applied(connection: Any, namespace: str) -> dict[int, tuple[str, str]]:
    """Name and time by version."""
    table = f"{quoted(namespace)}.migrations"
    if await connection.fetchval("SELECT to_regclass($1)", table) is None:
        return {}
    rows = await connection.fetch(f"SELECT version, name, applied_at::text FROM {table}")  # noqa: S608
    return {version: (name, applied_at) for version, name, applied_at in rows}


async def _apply(connection: Any, namespace: str) -> list[str]:
    if (encoding := await connection.fetchval("SHOW server_encoding")) != "UTF8":
        raise StorageError(f"the database has the encoding {encoding}: GoTask needs one with UTF8")
    schema = quoted(namespace)
    if await connection.fetchval("SELECT to_regnamespace($1)", schema) is None:
        await connection.execute(f"CREATE SCHEMA {schema}")
    await connection.execute(f"SET LOCAL search_path TO {schema}")
    await connection.execute(_TABLE)
    present = {row[0] for row in await connection.fetch("SELECT version FROM migrations")}
    done = []
    for migration in migrations():
        if migration.version not in present:
            await connection.execute(migration.sql)
            await connection.execute("INSERT INTO migrations VALUES ($1, $2)", migration.version, migration.name)
            done.append(migration.name)
    return done
