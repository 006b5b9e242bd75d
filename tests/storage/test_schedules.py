"""Schedules: kept by id and name, changed one change at a time, taken by one caller."""

import asyncio
from typing import Any

from gotask import v1
from gotask.storage.contract import ScheduleChange, ScheduleStatus, Storage
from tests.storage.support import NOW, job

CHANGED, STALE, NAME_TAKEN = ScheduleStatus.CHANGED, ScheduleStatus.STALE, ScheduleStatus.NAME_TAKEN
UNTIL = NOW + 100


def schedule_of(schedule_id: str, name: str = "", **fields: Any) -> v1.Schedule:
    return v1.Schedule(id=schedule_id, name=name or schedule_id, **fields)


async def stored(storage: Storage, schedule_id: str) -> v1.Schedule:
    (schedule,) = await storage.get_schedules([schedule_id])
    return schedule


async def change(storage: Storage, schedule: v1.Schedule) -> ScheduleStatus:
    return (await storage.change_schedules([ScheduleChange(schedule)], NOW))[0]


async def taken(storage: Storage, now: int = NOW, until: int = UNTIL, limit: int = 10) -> list[str]:
    return [one.id for one in await storage.take_schedules(now, until, limit)]


async def test_a_schedule_comes_back_as_it_was_created(storage: Storage) -> None:
    schedule = v1.Schedule(id="s", name="nightly", cron_expr="0 3 * * *", timezone="UTC", job=job(), jitter_us=5)
    assert await storage.create_schedule(schedule)
    assert await storage.get_schedules(["s", "s", "none"]) == [schedule]
    assert await storage.get_schedules([]) == []


async def test_id_and_name_are_taken_once(storage: Storage) -> None:
    assert await storage.create_schedule(schedule_of("s1", "nightly"))
    assert not await storage.create_schedule(schedule_of("s1", "other"))
    assert not await storage.create_schedule(schedule_of("s2", "nightly"))
    assert [one.id for one in await storage.list_schedules("", 9)] == ["s1"]


async def test_schedules_are_listed_by_name_page_by_page(storage: Storage) -> None:
    names = ["Zoë", "a", "b b", "zz", "Ärger", "日報"]
    for name in reversed(names):
        await storage.create_schedule(schedule_of(f"id-{name}", name))
    listed: list[str] = []
    while page := await storage.list_schedules(listed[-1] if listed else "", 4):
        listed += [one.name for one in page]
    assert listed == names
    found = await storage.get_schedules(["id-日報", "id-a", "id-Zoë"])
    assert [one.name for one in found] == ["Zoë", "a", "日報"]


async def test_a_change_replaces_the_schedule_and_counts_its_revision(storage: Storage) -> None:
    await storage.create_schedule(schedule_of("s", jitter_us=1))
    for expected in (1, 2):
        schedule = await stored(storage, "s")
        schedule.jitter_us += 1
        assert await change(storage, schedule) is CHANGED
        assert (await stored(storage, "s")).revision == expected
    assert (await stored(storage, "s")).jitter_us == 3


async def test_a_change_of_what_was_changed_meanwhile_is_stale(storage: Storage) -> None:
    await storage.create_schedule(schedule_of("s"))
    first = await stored(storage, "s")
    second = await stored(storage, "s")
    second.jitter_us = 9
    assert await change(storage, first) is CHANGED
    assert await change(storage, second) is STALE
    assert await change(storage, schedule_of("none")) is STALE
    assert (await stored(storage, "s")).jitter_us == 0


async def test_a_batch_of_changes_has_one_status_per_schedule(storage: Storage) -> None:
    for schedule_id in ("s1", "s2"):
        await storage.create_schedule(schedule_of(schedule_id))
    changes = [schedule_of("s1", "new"), schedule_of("s2", "new"), schedule_of("s1"), schedule_of("s2", jitter_us=2)]
    statuses = await storage.change_schedules([ScheduleChange(one) for one in changes], NOW)
    assert statuses == [CHANGED, NAME_TAKEN, STALE, CHANGED]
    assert [one.name for one in await storage.list_schedules("", 9)] == ["new", "s2"]


async def test_changes_may_be_larger_than_one_message(storage: Storage) -> None:
    changes = []
    for number in range(6):
        schedule = schedule_of(f"s{number}", job=job(payload=b'"' + b"x" * 250_000 + b'"'))
        await storage.create_schedule(schedule)
        changes.append(ScheduleChange(schedule))
    assert await storage.change_schedules(changes, NOW) == [CHANGED] * 6


async def test_a_new_name_frees_the_old_one(storage: Storage) -> None:
    await storage.create_schedule(schedule_of("s1", "nightly"))
    assert await change(storage, schedule_of("s1", "daily")) is CHANGED
    assert await storage.create_schedule(schedule_of("s2", "nightly"))
    assert not await storage.create_schedule(schedule_of("s3", "daily"))


async def test_a_deleted_schedule_frees_its_name_and_fires_no_more(storage: Storage) -> None:
    await storage.create_schedule(schedule_of("s1", "nightly", next_fire_at_us=NOW))
    assert await storage.delete_schedule("s1")
    assert not await storage.delete_schedule("s1")
    assert await taken(storage) == []
    assert await change(storage, schedule_of("s1", "nightly")) is STALE
    assert await storage.list_schedules("", 9) == []
    assert await storage.create_schedule(schedule_of("s2", "nightly"))


async def test_schedules_are_taken_when_they_are_due_earliest_first(storage: Storage) -> None:
    for schedule_id, at in (("late", 9), ("early", 3), ("never", 0), ("later", 11)):
        await storage.create_schedule(schedule_of(schedule_id, next_fire_at_us=NOW + at if at else 0))
    assert await storage.next_fire() == NOW + 3
    assert await taken(storage, NOW + 2) == []
    assert await taken(storage, NOW + 9, limit=1) == ["early"]
    assert await taken(storage, NOW + 9) == ["late"]
    assert await storage.next_fire() == NOW + 11


async def test_a_schedule_is_taken_by_one_caller_for_a_while(storage: Storage) -> None:
    await storage.create_schedule(schedule_of("s", next_fire_at_us=NOW))
    pages = await asyncio.gather(*(storage.take_schedules(NOW, UNTIL, 10) for _ in range(10)))
    assert sorted(map(len, pages)) == [0] * 9 + [1]
    assert await storage.next_fire() == UNTIL
    assert await taken(storage, UNTIL - 1) == []
    assert await taken(storage, UNTIL, UNTIL + 1) == ["s"]


async def test_a_change_gives_a_taken_schedule_back(storage: Storage) -> None:
    await storage.create_schedule(schedule_of("s", next_fire_at_us=NOW))
    (schedule,) = await storage.take_schedules(NOW, UNTIL, 10)
    schedule.next_fire_at_us = NOW + 10
    assert await change(storage, schedule) is CHANGED
    assert (await taken(storage, NOW + 9), await taken(storage, NOW + 10)) == ([], ["s"])


async def test_a_paused_schedule_is_not_due_until_it_is_resumed(storage: Storage) -> None:
    await storage.create_schedule(schedule_of("s", next_fire_at_us=NOW, paused=True))
    assert (await taken(storage), await storage.next_fire()) == ([], None)
    schedule = await stored(storage, "s")
    schedule.paused = False
    await change(storage, schedule)
    assert await taken(storage) == ["s"]
    schedule = await stored(storage, "s")
    schedule.paused = True
    await change(storage, schedule)
    assert (await taken(storage, UNTIL), await storage.next_fire()) == ([], None)


async def test_a_schedule_that_never_fires_again_is_not_due(storage: Storage) -> None:
    await storage.create_schedule(schedule_of("s", next_fire_at_us=NOW))
    assert await change(storage, schedule_of("s")) is CHANGED
    assert (await taken(storage, NOW * 2), await storage.next_fire()) == ([], None)
