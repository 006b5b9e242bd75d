"""Fires of schedules: open until their job is stored, and each job is stored once, however often it is submitted."""

import asyncio

from gotask import v1
from gotask.jobs.states import SUCCESS
from gotask.storage.contract import Inserted, InsertStatus, OpenFire, ScheduleChange, ScheduleStatus, Storage
from tests.storage.support import NOW, SECOND, add_queue, claim, end, job, new_id

CREATED, DUPLICATE = InsertStatus.CREATED, InsertStatus.DUPLICATE
WAIT = 5 * SECOND


async def open_fire(storage: Storage, schedule_id: str = "s", at: int = NOW) -> v1.Fire:
    """A fire that has just been decided, to be offered at NOW."""
    await storage.create_schedule(v1.Schedule(id=schedule_id, name=schedule_id))
    (schedule,) = await storage.get_schedules([schedule_id])
    fire = v1.Fire(at_us=at, job_id=new_id(), kind=v1.FIRE_KIND_TICK, refusal="a b  c")
    assert await storage.change_schedules([ScheduleChange(schedule, [fire])], NOW) == [ScheduleStatus.CHANGED]
    return fire


def job_of(fire: v1.Fire, **fields: object) -> v1.JobSpec:
    return job(id=fire.job_id, schedule_id="s", **fields)


async def insert_one(storage: Storage, spec: v1.JobSpec) -> Inserted:
    return (await storage.insert_jobs([spec], NOW))[0]


async def test_the_job_of_an_open_fire_is_stored_and_closes_it(storage: Storage) -> None:
    fire = await open_fire(storage)
    assert await storage.fires_open([fire.job_id, new_id()]) == [True, False]
    assert (await insert_one(storage, job_of(fire))).status is CREATED
    assert await storage.fires_open([fire.job_id]) == [False]
    assert (await storage.next_fire(), await storage.take_fires(NOW * 2, WAIT, 9)) == (None, [])


async def test_a_job_that_was_stored_is_not_stored_again_even_when_it_is_long_forgotten(storage: Storage) -> None:
    fire = await open_fire(storage)
    await insert_one(storage, job_of(fire))
    assert await insert_one(storage, job_of(fire)) == Inserted(DUPLICATE, existing_id=fire.job_id)
    (claimed,) = await claim(storage)
    await end(storage, claimed, SUCCESS)
    await storage.delete([fire.job_id])
    assert await storage.get_jobs([fire.job_id]) == [None]
    assert await insert_one(storage, job_of(fire)) == Inserted(DUPLICATE, existing_id=fire.job_id)
    assert await storage.get_jobs([fire.job_id]) == [None]


async def test_a_job_without_a_fire_is_not_stored(storage: Storage) -> None:
    spec = job(schedule_id="s")
    assert await insert_one(storage, spec) == Inserted(DUPLICATE, existing_id=spec.id)


async def test_of_many_submissions_one_is_stored(storage: Storage) -> None:
    fire = await open_fire(storage)
    found = await asyncio.gather(*(storage.insert_jobs([job_of(fire), job_of(fire)], NOW) for _ in range(5)))
    assert [one.status for batch in found for one in batch].count(CREATED) == 1


async def test_fires_and_other_jobs_are_stored_together(storage: Storage) -> None:
    fire = await open_fire(storage)
    specs = [job(), job_of(fire, scheduled_at_us=NOW + 9), job(schedule_id="s"), job(unique_key="u"), job_of(fire)]
    found = await storage.insert_jobs(specs, NOW)
    assert [one.status for one in found] == [CREATED, CREATED, DUPLICATE, CREATED, DUPLICATE]


async def test_a_fire_stays_open_while_its_queue_is_full(storage: Storage) -> None:
    await add_queue(storage, "small", max_length=1)
    await storage.insert_jobs([job(queue="small")], NOW)
    fire = await open_fire(storage)
    assert (await insert_one(storage, job_of(fire, queue="small"))).status is InsertStatus.QUEUE_FULL
    assert (await insert_one(storage, job_of(fire, queue="none"))).status is InsertStatus.QUEUE_UNKNOWN
    assert await storage.fires_open([fire.job_id]) == [True]
    await claim(storage, queue="small")
    assert (await insert_one(storage, job_of(fire, queue="small"))).status is CREATED


async def test_a_fire_whose_unique_key_is_held_is_over(storage: Storage) -> None:
    holder = job(unique_key="u")
    await storage.insert_jobs([holder], NOW)
    fire = await open_fire(storage)
    duplicate = Inserted(DUPLICATE, existing_id=holder.id)
    assert await insert_one(storage, job_of(fire, unique_key="u")) == duplicate
    assert await storage.fires_open([fire.job_id]) == [False]


async def test_an_open_fire_is_offered_to_one_caller_and_ever_more_rarely(storage: Storage) -> None:
    fire = await open_fire(storage)
    assert await storage.next_fire() == NOW
    pages = await asyncio.gather(*(storage.take_fires(NOW + SECOND, WAIT, 9) for _ in range(5)))
    assert [one for page in pages for one in page] == [OpenFire("s", fire)]
    now = NOW + SECOND
    for age in (6, 12, 24):
        assert await storage.take_fires(NOW + age * SECOND - 1, WAIT, 9) == []
        now = NOW + age * SECOND
        assert await storage.next_fire() == now
        assert await storage.take_fires(now, WAIT, 9) == [OpenFire("s", fire)]


async def test_fires_are_offered_earliest_first(storage: Storage) -> None:
    fires = [await open_fire(storage, at=NOW - number) for number in range(3)]
    first = await storage.take_fires(NOW, WAIT, 2)
    second = await storage.take_fires(NOW, WAIT, 2)
    assert (len(first), len(second)) == (2, 1)
    assert {one.fire.job_id for one in first + second} == {fire.job_id for fire in fires}


async def test_a_closed_fire_is_given_up(storage: Storage) -> None:
    fire = await open_fire(storage)
    (schedule,) = await storage.get_schedules(["s"])
    await storage.change_schedules([ScheduleChange(schedule, closes=[fire.job_id, new_id()])], NOW)
    assert await storage.fires_open([fire.job_id]) == [False]
    assert (await insert_one(storage, job_of(fire))).status is DUPLICATE
    assert await storage.take_fires(NOW, WAIT, 9) == []


async def test_a_stale_change_opens_and_closes_nothing(storage: Storage) -> None:
    fire = await open_fire(storage)
    stale = v1.Schedule(id="s", name="s", revision=7)
    other = v1.Fire(at_us=NOW, job_id=new_id())
    assert await storage.change_schedules([ScheduleChange(stale, [other], [fire.job_id])], NOW) == [
        ScheduleStatus.STALE
    ]
    assert await storage.fires_open([fire.job_id, other.job_id]) == [True, False]


async def test_the_fires_of_a_deleted_schedule_are_over(storage: Storage) -> None:
    fire = await open_fire(storage)
    await open_fire(storage, "kept", NOW + 1)
    await storage.delete_schedule("s")
    assert await storage.fires_open([fire.job_id]) == [False]
    assert (await insert_one(storage, job_of(fire))).status is DUPLICATE
    assert await storage.get_jobs([fire.job_id]) == [None]
    assert [one.schedule_id for one in await storage.take_fires(NOW, WAIT, 9)] == ["kept"]
