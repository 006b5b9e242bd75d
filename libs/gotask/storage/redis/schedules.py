"""Schedules in Redis: replaced only when they still are what the caller read."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from gotask import v1
from gotask.storage.redis.scripts import Scripts

_KEPT_FIRES = 20


class Schedules:
    """The schedules' calls of the contract."""

    def __init__(self, scripts: Scripts, command: Callable[..., Awaitable[Any]]) -> None:
        self._scripts = scripts
        self._command = command

    async def create(self, schedule: v1.Schedule) -> bool:
        return await self._replace(b"", schedule)

    async def update(self, schedule: v1.Schedule) -> bool:
        while (stored := await self._command("HGET", "schedule", schedule.id)) is not None:
            if await self._replace(stored, schedule):
                return True
            if stored == await self._command("HGET", "schedule", schedule.id):
                return False
        return False

    async def get(self, schedule_ids: Sequence[str] | None) -> list[v1.Schedule]:
        if schedule_ids is None:
            stored = list((await self._command("HGETALL", "schedule")).values())
        elif schedule_ids:
            stored = await self._command("HMGET", "schedule", *dict.fromkeys(schedule_ids))
        else:
            stored = []
        found = [v1.Schedule.FromString(data) for data in stored if data is not None]
        return sorted(found, key=lambda schedule: schedule.name)

    async def delete(self, schedule_id: str) -> bool:
        return bool(await self._scripts.run("delete_schedule", schedule_id))

    async def due(self, now_us: int, limit: int) -> list[v1.Schedule]:
        ids = await self._command("ZRANGEBYSCORE", "fires", "-inf", now_us, "LIMIT", 0, limit)
        due = await self.get([schedule_id.decode() for schedule_id in ids])
        return sorted(due, key=lambda schedule: schedule.next_fire_at_us)

    async def advance(self, schedule_id: str, expected_us: int, next_us: int, fires: Sequence[v1.Fire]) -> bool:
        while (stored := await self._command("HGET", "schedule", schedule_id)) is not None:
            schedule = v1.Schedule.FromString(stored)
            if schedule.next_fire_at_us != expected_us:
                return False
            kept = [*fires, *schedule.fires][:_KEPT_FIRES]
            schedule.next_fire_at_us = next_us
            del schedule.fires[:]
            schedule.fires.extend(kept)
            if await self._replace(stored, schedule):
                return True
        return False

    async def _replace(self, stored: bytes, schedule: v1.Schedule) -> bool:
        fire = 0 if schedule.paused else schedule.next_fire_at_us
        data = schedule.SerializeToString()
        return bool(await self._scripts.run("put_schedule", schedule.id, schedule.name, stored, data, fire))
