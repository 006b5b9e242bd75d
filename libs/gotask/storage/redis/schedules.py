"""Schedules in Redis."""

from collections.abc import Iterator, Sequence
from typing import Any

from gotask import v1
from gotask.storage.contract import OpenFire, ScheduleChange, ScheduleStatus
from gotask.storage.redis.client import Client

_MAX_BYTES = 1 << 20
"""What one script is given at once, about: the server serves nobody else meanwhile."""


class Schedules:
    """The schedule calls of the contract."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def create(self, schedule: v1.Schedule) -> bool:
        fields = (schedule.id, schedule.name, schedule.revision, schedule.SerializeToString(), _next_fire(schedule))
        return bool(await self._client.run("schedule_create", *fields))

    async def change(self, changes: Sequence[ScheduleChange], offer_at_us: int) -> list[ScheduleStatus]:
        statuses: list[ScheduleStatus] = []
        for args in _batches(changes):
            answers = await self._client.run("schedule_change", offer_at_us, *args)
            statuses += [ScheduleStatus(status) for status in answers]
        return statuses

    async def get(self, schedule_ids: Sequence[str]) -> list[v1.Schedule]:
        stored = await self._client.run("schedule_get", *set(schedule_ids)) if schedule_ids else []
        schedules = [v1.Schedule.FromString(data) for data in stored if data is not None]
        return sorted(schedules, key=lambda schedule: schedule.name.encode())

    async def page(self, after: str, limit: int) -> list[v1.Schedule]:
        return [v1.Schedule.FromString(data) for data in await self._client.run("schedule_list", after, limit)]

    async def delete(self, schedule_id: str) -> bool:
        return bool(await self._client.run("schedule_delete", schedule_id))

    async def take(self, now_us: int, until_us: int, limit: int) -> list[v1.Schedule]:
        taken = await self._client.run("schedule_take", now_us, until_us, limit)
        return [v1.Schedule.FromString(data) for data in taken]

    async def take_fires(self, now_us: int, wait_us: int, limit: int) -> list[OpenFire]:
        taken = await self._client.run("schedule_fires", now_us, wait_us, limit)
        return [OpenFire(schedule_id.decode(), v1.Fire.FromString(fire)) for schedule_id, fire in taken]

    async def fires_open(self, job_ids: Sequence[str]) -> list[bool]:
        return [bool(is_open) for is_open in await self._client.run("schedule_open", *job_ids)]

    async def next_fire(self) -> int | None:
        first = await self._client.run("schedule_next")
        return int(float(first)) if first is not None else None


def _batches(changes: Sequence[ScheduleChange]) -> Iterator[list[Any]]:
    args: list[Any] = []
    size = 0
    for change in changes:
        fields = _change(change)
        size += sum(len(field) for field in fields if isinstance(field, bytes))
        args += fields
        if size >= _MAX_BYTES:
            yield args
            args, size = [], 0
    if args:
        yield args


def _change(change: ScheduleChange) -> list[Any]:
    schedule = v1.Schedule()
    schedule.CopyFrom(change.schedule)
    schedule.revision += 1
    fields: list[Any] = [schedule.id, schedule.name, schedule.revision - 1, schedule.SerializeToString()]
    fields += (_next_fire(schedule), len(change.opens), len(change.closes))
    for fire in change.opens:
        fields += (fire.job_id, f"{fire.at_us} {schedule.id} ".encode() + fire.SerializeToString())
    return [*fields, *change.closes]


def _next_fire(schedule: v1.Schedule) -> str:
    fires = not schedule.paused and schedule.next_fire_at_us > 0
    return str(schedule.next_fire_at_us) if fires else ""
