"""Schedules in the database."""

from collections.abc import Sequence
from typing import Any

from gotask import v1
from gotask.storage.contract import OpenFire, ScheduleChange, ScheduleStatus
from gotask.storage.postgres.client import Client
from gotask.storage.postgres.ids import known_ids
from gotask.storage.postgres.text import column, original


class Schedules:
    """The schedule calls of the contract."""

    def __init__(self, client: Client, schema: str) -> None:
        self._client = client
        self._schema = schema
        self._table = f"{schema}.schedules"
        self._fires = f"{schema}.open_fires"

    async def create(self, schedule: v1.Schedule) -> bool:
        query = f"""
            INSERT INTO {self._table} (id, name, revision, take_at_us, data) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT DO NOTHING RETURNING id
        """  # noqa: S608
        values = (column(schedule.id), column(schedule.name), schedule.revision, _take_at(schedule))
        return bool(await self._client.rows(query, *values, schedule.SerializeToString()))

    async def change(self, changes: Sequence[ScheduleChange], offer_at_us: int) -> list[ScheduleStatus]:
        if not changes:
            return []
        opened = [(number, fire) for number, change in enumerate(changes, 1) for fire in change.opens]
        closed = [(number, job_id) for number, change in enumerate(changes, 1) for job_id in change.closes]
        arguments: list[Any] = [
            offer_at_us,
            [column(change.schedule.id) for change in changes],
            [column(change.schedule.name) for change in changes],
            [change.schedule.revision for change in changes],
            [_take_at(change.schedule) for change in changes],
            [_next_revision(change.schedule) for change in changes],
            [number for number, _ in opened],
            [fire.job_id for _, fire in opened],
            [fire.at_us for _, fire in opened],
            [fire.SerializeToString() for _, fire in opened],
            [number for number, _ in closed],
            known_ids(job_id for _, job_id in closed),
        ]
        parameters = ", ".join(f"${number}" for number in range(1, len(arguments) + 1))
        query = f"SELECT {self._schema}.change_schedules({parameters})"
        return [ScheduleStatus(status) for status in await self._client.value(query, *arguments)]

    async def get(self, schedule_ids: Sequence[str]) -> list[v1.Schedule]:
        query = f"SELECT data FROM {self._table} WHERE id = ANY($1::text[]) ORDER BY name"  # noqa: S608
        return await self._schedules(query, [column(schedule_id) for schedule_id in schedule_ids])

    async def page(self, after: str, limit: int) -> list[v1.Schedule]:
        query = f"SELECT data FROM {self._table} WHERE name > $1 ORDER BY name LIMIT $2"  # noqa: S608
        return await self._schedules(query, column(after), limit)

    async def delete(self, schedule_id: str) -> bool:
        query = f"""
            WITH gone AS (DELETE FROM {self._table} WHERE id = $1 RETURNING id),
                 closed AS (DELETE FROM {self._fires} WHERE schedule_id = $1)
            SELECT id FROM gone
        """  # noqa: S608
        return bool(await self._client.rows(query, column(schedule_id)))

    async def take(self, now_us: int, until_us: int, limit: int) -> list[v1.Schedule]:
        query = f"SELECT * FROM {self._schema}.take_schedules($1, $2, $3)"  # noqa: S608
        return await self._schedules(query, now_us, until_us, limit)

    async def take_fires(self, now_us: int, wait_us: int, limit: int) -> list[OpenFire]:
        query = f"SELECT * FROM {self._schema}.take_fires($1, $2, $3)"  # noqa: S608
        rows = await self._client.rows(query, now_us, wait_us, limit)
        return [OpenFire(original(schedule_id), v1.Fire.FromString(fire)) for schedule_id, fire in rows]

    async def fires_open(self, job_ids: Sequence[str]) -> list[bool]:
        query = f"SELECT job_id FROM {self._fires} WHERE job_id = ANY($1::uuid[])"  # noqa: S608
        found = {str(job_id) for (job_id,) in await self._client.rows(query, known_ids(job_ids))}
        return [job_id in found for job_id in job_ids]

    async def next_fire(self) -> int | None:
        query = f"""
            SELECT least((SELECT min(take_at_us) FROM {self._table}), (SELECT min(offer_at_us) FROM {self._fires}))
        """  # noqa: S608
        first: int | None = await self._client.value(query)
        return first

    async def _schedules(self, query: str, *args: Any) -> list[v1.Schedule]:
        return [v1.Schedule.FromString(row[0]) for row in await self._client.rows(query, *args)]


def _take_at(schedule: v1.Schedule) -> int | None:
    fires = not schedule.paused and schedule.next_fire_at_us > 0
    return schedule.next_fire_at_us if fires else None


def _next_revision(schedule: v1.Schedule) -> bytes:
    following = v1.Schedule()
    following.CopyFrom(schedule)
    following.revision += 1
    return following.SerializeToString()
