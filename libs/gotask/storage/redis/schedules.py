"""Schedules in Redis."""

from collections.abc import Sequence

from gotask import v1
from gotask.storage.redis.client import Client
from gotask.storage.schedules import advanced


class Schedules:
    """The schedule calls of the contract."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def create(self, schedule: v1.Schedule) -> bool:
        return bool(await self._client.run("schedule_create", *_fields(schedule)))

    async def update(self, schedule: v1.Schedule) -> bool:
        return bool(await self._client.run("schedule_update", *_fields(schedule)))

    async def get(self, schedule_ids: Sequence[str] | None) -> list[v1.Schedule]:
        if schedule_ids is not None and not schedule_ids:
            return []
        stored = await self._client.run("schedule_get", *set(schedule_ids or ()))
        schedules = [v1.Schedule.FromString(data) for data in stored if data is not None]
        return sorted(schedules, key=lambda schedule: schedule.name)

    async def delete(self, schedule_id: str) -> bool:
        return bool(await self._client.run("schedule_delete", schedule_id))

    async def due(self, now_us: int, limit: int) -> list[v1.Schedule]:
        return [v1.Schedule.FromString(data) for data in await self._client.run("schedule_due", now_us, limit)]

    async def advance(self, schedule_id: str, expected_us: int, next_us: int, fires: Sequence[v1.Fire]) -> bool:
        """Repeats its compare-and-set while others change other parts of the schedule."""
        while True:
            stored: bytes | None = (await self._client.run("schedule_get", schedule_id))[0]
            if stored is None:
                return False
            schedule = v1.Schedule.FromString(stored)
            if schedule.next_fire_at_us != expected_us:
                return False
            following = advanced(schedule, next_us, fires)
            data = following.SerializeToString()
            if await self._client.run("schedule_replace", schedule_id, stored, data, _next_fire(following)):
                return True


def _fields(schedule: v1.Schedule) -> tuple[str, str, bytes, str]:
    return schedule.id, schedule.name, schedule.SerializeToString(), _next_fire(schedule)


def _next_fire(schedule: v1.Schedule) -> str:
    fires = not schedule.paused and schedule.next_fire_at_us > 0
    return str(schedule.next_fire_at_us) if fires else ""
