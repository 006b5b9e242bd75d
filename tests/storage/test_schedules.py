"""Schedules: kept by id and name, fired by compare-and-set."""

import asyncio

from gotask import v1
from gotask.storage.contract import Storage
from tests.storage.support import NOW, job


def _schedule(schedule_id: str, name: str = "", next_fire_at_us: int = 0, jitter_us: int = 0) -> v1.Schedule:
    return v1.Schedule(id=schedule_id, name=name or schedule_id, next_fire_at_us=next_fire_at_us, jitter_us=jitter_us)


async def _due(storage: Storage, now: int = NOW, limit: int = 10) -> list[str]:
    return [one.id for one in await storage.due_schedules(now, limit)]


async def test_a_schedule_comes_back_as_it_was_created(storage: Storage) -> None:
    schedule = v1.Schedule(id="s", name="nightly", expression="0 3 * * *", timezone="UTC", job=job(), jitter_us=5)
    assert await storage.create_schedule(schedule)
    assert await storage.get_schedules(["s", "s", "none"]) == [schedule]
    assert await storage.get_schedules([]) == []


async def test_id_and_name_are_taken_once(storage: Storage) -> None:
    assert await storage.create_schedule(_schedule("s1", "nightly"))
    assert not await storage.create_schedule(_schedule("s1", "other"))
    assert not await storage.create_schedule(_schedule("s2", "nightly"))
    assert [one.id for one in await storage.get_schedules()] == ["s1"]


async def test_schedules_are_listed_by_name(storage: Storage) -> None:
    for schedule_id, name in (("1", "b"), ("2", "c"), ("3", "a")):
        await storage.create_schedule(_schedule(schedule_id, name))
    assert [one.name for one in await storage.get_schedules()] == ["a", "b", "c"]
    assert [one.name for one in await storage.get_schedules(["2", "3"])] == ["a", "c"]


async def test_an_update_replaces_the_schedule_and_frees_its_old_name(storage: Storage) -> None:
    await storage.create_schedule(_schedule("s1", "nightly", next_fire_at_us=NOW))
    await storage.create_schedule(_schedule("s2", "hourly"))
    assert not await storage.update_schedule(_schedule("s1", "hourly"))
    assert not await storage.update_schedule(_schedule("s3", "new"))
    assert await storage.update_schedule(_schedule("s1", "daily", jitter_us=7))
    assert await storage.get_schedules(["s1"]) == [_schedule("s1", "daily", jitter_us=7)]
    assert await storage.update_schedule(_schedule("s1", "daily", jitter_us=8))
    assert await storage.create_schedule(_schedule("s3", "nightly"))
    assert await _due(storage) == []


async def test_a_deleted_schedule_frees_its_name_and_fires_no_more(storage: Storage) -> None:
    await storage.create_schedule(_schedule("s1", "nightly", next_fire_at_us=NOW))
    assert await storage.delete_schedule("s1")
    assert not await storage.delete_schedule("s1")
    assert await _due(storage) == []
    assert await storage.create_schedule(_schedule("s2", "nightly"))


async def test_due_schedules_come_earliest_first(storage: Storage) -> None:
    for schedule_id, at in (("late", 9), ("early", 3), ("never", 0), ("later", 11)):
        await storage.create_schedule(_schedule(schedule_id, next_fire_at_us=NOW + at if at else 0))
    assert await _due(storage, NOW + 2) == []
    assert await _due(storage, NOW + 9) == ["early", "late"]
    assert await _due(storage, NOW + 9, limit=1) == ["early"]


async def test_a_paused_schedule_is_not_due_until_it_is_resumed(storage: Storage) -> None:
    schedule = _schedule("s", next_fire_at_us=NOW)
    schedule.paused = True
    await storage.create_schedule(schedule)
    assert await _due(storage) == []
    schedule.paused = False
    await storage.update_schedule(schedule)
    assert await _due(storage) == ["s"]


async def test_a_fire_is_advanced_once(storage: Storage) -> None:
    await storage.create_schedule(_schedule("s", next_fire_at_us=NOW))
    fires = [v1.Fire(at_us=NOW, job_id="j")]
    assert await storage.advance_schedule("s", NOW, NOW + 10, fires)
    assert not await storage.advance_schedule("s", NOW, NOW + 10, fires)
    assert not await storage.advance_schedule("none", NOW, NOW + 10, fires)
    (schedule,) = await storage.get_schedules(["s"])
    assert (schedule.next_fire_at_us, list(schedule.fires)) == (NOW + 10, fires)
    assert (await _due(storage, NOW + 9), await _due(storage, NOW + 10)) == ([], ["s"])


async def test_a_schedule_that_never_fires_again_is_not_due(storage: Storage) -> None:
    await storage.create_schedule(_schedule("s", next_fire_at_us=NOW))
    assert await storage.advance_schedule("s", NOW, 0, [])
    assert await _due(storage, NOW * 2) == []


async def test_the_last_twenty_fires_are_kept_newest_first(storage: Storage) -> None:
    await storage.create_schedule(_schedule("s", next_fire_at_us=NOW))
    for index in range(0, 24, 2):
        fires = [v1.Fire(at_us=NOW + index + 1, job_id=f"j{index + 1}"), v1.Fire(at_us=NOW + index, job_id=f"j{index}")]
        assert await storage.advance_schedule("s", NOW + index, NOW + index + 2, fires)
    (schedule,) = await storage.get_schedules(["s"])
    assert [fire.job_id for fire in schedule.fires] == [f"j{index}" for index in range(23, 3, -1)]


async def test_of_many_schedulers_one_advances(storage: Storage) -> None:
    await storage.create_schedule(_schedule("s", next_fire_at_us=NOW))
    won = await asyncio.gather(*(storage.advance_schedule("s", NOW, NOW + 1 + n, []) for n in range(10)))
    assert won.count(True) == 1
