"""Schedules in the database."""

from collections.abc import Sequence

from gotask import v1
from gotask.storage.postgres.client import Client
from gotask.storage.postgres.text import column
from gotask.storage.schedules import advanced


class Schedules:
    """The schedule calls of the contract."""

    def __init__(self, client: Client, schema: str) -> None:
        self._client = client
        self._table = f"{schema}.schedules"

    async def create(self, schedule: v1.Schedule) -> bool:
        query = f"""
            INSERT INTO {self._table} (id, name, next_fire_at_us, data) VALUES ($1, $2, $3, $4)
            ON CONFLICT DO NOTHING RETURNING id
        """  # noqa: S608
        return bool(await self._client.rows(query, *_columns(schedule)))

    async def update(self, schedule: v1.Schedule) -> bool:
        query = f"""
            UPDATE {self._table} SET name = $2, next_fire_at_us = $3, data = $4
            WHERE id = $1 AND NOT EXISTS (SELECT FROM {self._table} WHERE name = $2 AND id <> $1) RETURNING id
        """  # noqa: S608
        return bool(await self._client.rows(query, *_columns(schedule)))

    async def get(self, schedule_ids: Sequence[str] | None) -> list[v1.Schedule]:
        query = f"SELECT data FROM {self._table} WHERE $1::text[] IS NULL OR id = ANY($1) ORDER BY name"  # noqa: S608
        ids = None if schedule_ids is None else [column(schedule_id) for schedule_id in schedule_ids]
        return [v1.Schedule.FromString(row[0]) for row in await self._client.rows(query, ids)]

    async def delete(self, schedule_id: str) -> bool:
        query = f"DELETE FROM {self._table} WHERE id = $1 RETURNING id"  # noqa: S608
        return bool(await self._client.rows(query, column(schedule_id)))

    async def due(self, now_us: int, limit: int) -> list[v1.Schedule]:
        query = f"""
            SELECT data FROM {self._table} WHERE next_fire_at_us <= $1 ORDER BY next_fire_at_us, id LIMIT $2
        """  # noqa: S608
        return [v1.Schedule.FromString(row[0]) for row in await self._client.rows(query, now_us, limit)]

    async def advance(self, schedule_id: str, expected_us: int, next_us: int, fires: Sequence[v1.Fire]) -> bool:
        """Repeats its compare-and-set while others change other parts of the schedule."""
        replacing = f"""
            UPDATE {self._table} SET next_fire_at_us = $3, data = $4 WHERE id = $1 AND data = $2 RETURNING id
        """  # noqa: S608
        while True:
            query = f"SELECT data FROM {self._table} WHERE id = $1"  # noqa: S608
            rows = await self._client.rows(query, column(schedule_id))
            if not rows:
                return False
            stored: bytes = rows[0][0]
            schedule = v1.Schedule.FromString(stored)
            if schedule.next_fire_at_us != expected_us:
                return False
            key, _, next_fire, data = _columns(advanced(schedule, next_us, fires))
            if await self._client.rows(replacing, key, stored, next_fire, data):
                return True


def _columns(schedule: v1.Schedule) -> tuple[str, str, int | None, bytes]:
    fires = not schedule.paused and schedule.next_fire_at_us > 0
    next_fire_at_us = schedule.next_fire_at_us if fires else None
    return column(schedule.id), column(schedule.name), next_fire_at_us, schedule.SerializeToString()
