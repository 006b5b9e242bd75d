"""Queues in the database."""

from collections.abc import Sequence
from typing import Any

from gotask import v1
from gotask.storage.contract import DeleteQueueStatus
from gotask.storage.postgres.client import Client
from gotask.storage.postgres.text import column, columns

_MAX = (1 << 63) - 1
_STEP = 500
"""Jobs that one transaction forgets."""
_STATS = (
    "pending",
    "running",
    "scheduled",
    "retrying",
    "dead",
    "completed_total",
    "failed_total",
    "finished_last_minute",
    "oldest_ready_at_us",
    "paused",
)
_SETTINGS = (
    "max_workers",
    "max_length",
    "rate_limit",
    "retention_success_us",
    "retention_other_us",
    "updated_at_us",
    "data",
)


class Queues:
    """The queue calls of the contract."""

    def __init__(self, client: Client, schema: str) -> None:
        self._client = client
        self._schema = schema
        self._table = f"{schema}.queues"

    async def create(self, queue: v1.Queue) -> bool:
        query = f"""
            INSERT INTO {self._table} (name, paused, created_at_us, {", ".join(_SETTINGS)})
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING id
        """  # noqa: S608
        rows = await self._client.rows(query, column(queue.name), queue.paused, queue.created_at_us, *_settings(queue))
        return bool(rows)

    async def update(self, queue: v1.Queue) -> bool:
        changes = ", ".join(f"{name} = ${number}" for number, name in enumerate(_SETTINGS, 2))
        query = f"UPDATE {self._table} SET {changes} WHERE name = $1 RETURNING id"  # noqa: S608
        return bool(await self._client.rows(query, column(queue.name), *_settings(queue)))

    async def set_paused(self, name: str, paused: bool, now_us: int) -> bool:
        query = f"""
            UPDATE {self._table}
            SET paused = $2, updated_at_us = CASE WHEN paused = $2 THEN updated_at_us ELSE $3 END
            WHERE name = $1 RETURNING id
        """  # noqa: S608
        return bool(await self._client.rows(query, column(name), paused, now_us))

    async def get(self, names: Sequence[str] | None) -> list[v1.Queue]:
        query = f"""
            SELECT data, paused, created_at_us, updated_at_us FROM {self._table}
            WHERE $1::text[] IS NULL OR name = ANY($1) ORDER BY name
        """  # noqa: S608
        wanted = None if names is None else columns(list(names))
        return [_queue_of(row) for row in await self._client.rows(query, wanted)]

    async def delete(self, name: str) -> DeleteQueueStatus:
        status = DeleteQueueStatus(await self._client.value(f"SELECT {self._schema}.delete_queue($1)", column(name)))
        if status is DeleteQueueStatus.DELETED:
            await self.empty_trash()
        return status

    async def empty_trash(self) -> None:
        """Forgets what deleted queues left, in steps."""
        while await self._client.value(f"SELECT {self._schema}.empty_trash($1)", _STEP):
            pass

    async def stats(self, names: Sequence[str], now_us: int) -> list[v1.QueueStats]:
        query = f"SELECT * FROM {self._schema}.queue_stats($1, $2)"  # noqa: S608
        rows = await self._client.rows(query, columns(list(names)), now_us)
        return [_stats_of(name, row) for name, row in zip(names, rows, strict=True)]


def _settings(queue: v1.Queue) -> list[Any]:
    """The values of the columns, in order; what is never reached is bounded to what a bigint holds."""
    return [
        queue.max_workers,
        queue.max_length,
        queue.rate_limit,
        min(queue.retention_success_us, _MAX),
        min(queue.retention_other_us, _MAX),
        queue.updated_at_us,
        queue.SerializeToString(),
    ]


def _queue_of(row: Any) -> v1.Queue:
    queue = v1.Queue.FromString(row[0])
    queue.paused, queue.created_at_us, queue.updated_at_us = row[1:]
    return queue


def _stats_of(name: str, row: Any) -> v1.QueueStats:
    figures = {field: number for field, number in zip(_STATS, row, strict=True) if number is not None}
    return v1.QueueStats(name=name, **figures)
