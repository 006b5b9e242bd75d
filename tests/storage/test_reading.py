"""Listing, statistics, retention, schedules, workers."""

import pytest

from gotask import v1
from gotask.jobs.ids import IdMaker
from gotask.jobs.states import DEAD, PENDING, SUCCESS
from gotask.storage.contract import JobFilter, Storage
from tests.storage.support import NOW, SECOND, add_queue, claim, end, insert, job, state_of


async def _listed(storage: Storage, criteria: JobFilter, limit: int = 3) -> list[str]:
    ids: list[str] = []
    cursor = ""
    while True:
        page = await storage.list_jobs(criteria, cursor, limit)
        assert len(page.jobs) <= limit
        ids += [one.spec.id for one in page.jobs]
        cursor = page.next_cursor
        if not cursor:
            return ids


async def test_jobs_are_listed_newest_first_by_every_criterion(storage: Storage) -> None:
    await add_queue(storage, "mail")
    ids = await insert(
        storage,
        job(type="a", tags=["x"]),
        job(type="b", queue="mail", created_at_us=NOW + 5),
        job(type="a", created_at_us=NOW + 10),
        *[job(type="c") for _ in range(6)],
    )
    (claimed,) = await claim(storage)
    await end(storage, claimed)
    assert await _listed(storage, JobFilter()) == ids[::-1]
    assert await _listed(storage, JobFilter(states=frozenset({SUCCESS}))) == [ids[0]]
    assert await _listed(storage, JobFilter(states=frozenset({PENDING}))) == ids[:0:-1]
    assert await _listed(storage, JobFilter(queue="mail")) == [ids[1]]
    assert await _listed(storage, JobFilter(type="a")) == [ids[2], ids[0]]
    assert await _listed(storage, JobFilter(tag="x")) == [ids[0]]
    assert await _listed(storage, JobFilter(created_from_us=NOW + 5, created_before_us=NOW + 10)) == [ids[1]]


async def test_pages_are_stable_while_jobs_come_and_go(storage: Storage) -> None:
    ids = await insert(storage, *[job() for _ in range(10)])
    first = await storage.list_jobs(JobFilter(), "", 4)
    await insert(storage, job())
    await storage.cancel([ids[9], ids[2]], NOW)
    await storage.delete([ids[9], ids[2]])
    rest = await storage.list_jobs(JobFilter(), first.next_cursor, 100)
    seen = [one.spec.id for one in [*first.jobs, *rest.jobs]]
    assert seen == [job_id for job_id in ids[::-1] if job_id != ids[2]]
    with pytest.raises(ValueError, match="cursor"):
        await storage.list_jobs(JobFilter(), "nonsense", 5)


async def test_many_thousands_are_listed_in_bounded_steps(storage: Storage) -> None:
    maker = IdMaker()
    specs = [job(id=maker.make(NOW + index * 1_000)) for index in range(6_000)]
    await insert(storage, *specs)
    page = await storage.list_jobs(JobFilter(states=frozenset({PENDING})), "", 100)
    assert [one.spec.id for one in page.jobs] == [spec.id for spec in specs[:-101:-1]]
    assert (await storage.list_jobs(JobFilter(states=frozenset({DEAD})), "", 100)).jobs == []
    assert (await storage.list_jobs(JobFilter(type="none"), "", 100)).jobs == []


async def test_statistics_count_every_state(storage: Storage) -> None:
    await insert(storage, *[job() for _ in range(5)], job(scheduled_at_us=NOW + SECOND))
    first, second, _ = await claim(storage, 3)
    await end(storage, first)
    await end(storage, second, DEAD)
    stats, nothing = await storage.queue_stats(["default", "nowhere"], NOW + SECOND)
    assert (stats.pending, stats.running, stats.scheduled, stats.dead) == (2, 1, 1, 1)
    assert (stats.completed_total, stats.failed_total, stats.finished_last_minute) == (1, 1, 2)
    assert stats.oldest_ready_at_us == NOW
    assert nothing == v1.QueueStats(name="nowhere")
    (later,) = await storage.queue_stats(["default"], NOW + 120 * SECOND)
    assert (later.finished_last_minute, later.completed_total) == (0, 1)


async def test_finished_jobs_are_forgotten_after_their_retention(storage: Storage) -> None:
    await add_queue(storage, "short", retention_success_us=10 * SECOND, retention_other_us=20 * SECOND)
    await insert(storage, *[job(queue="short", idempotency_key=f"k{index}") for index in range(3)])
    good, bad, _ = await claim(storage, 3, "short")
    await end(storage, good, now=NOW)
    await end(storage, bad, DEAD, now=NOW)
    assert await storage.prune(NOW + 10 * SECOND - 1, 10) == 0
    assert await storage.prune(NOW + 10 * SECOND, 10) == 1
    assert (await storage.get_jobs([good.job_id]))[0] is None
    assert await state_of(storage, bad.job_id) == DEAD
    assert await storage.prune(NOW + 100 * SECOND, 10) == 1
    assert await storage.prune(NOW + 100 * SECOND, 10) == 0
    assert len(await _listed(storage, JobFilter())) == 1


async def test_schedules_are_kept_by_id_and_name(storage: Storage) -> None:
    nightly = v1.Schedule(id="s1", name="nightly", next_fire_at_us=NOW + 10)
    assert await storage.create_schedule(nightly)
    assert not await storage.create_schedule(nightly)
    assert not await storage.create_schedule(v1.Schedule(id="s2", name="nightly"))
    assert await storage.create_schedule(v1.Schedule(id="s2", name="hourly", next_fire_at_us=NOW + 5))
    assert [one.name for one in await storage.get_schedules()] == ["hourly", "nightly"]
    assert not await storage.update_schedule(v1.Schedule(id="s2", name="nightly"))
    assert not await storage.update_schedule(v1.Schedule(id="s3", name="x"))
    assert await storage.update_schedule(v1.Schedule(id="s1", name="daily", next_fire_at_us=NOW + 10))
    assert await storage.create_schedule(v1.Schedule(id="s4", name="nightly"))
    assert [one.id for one in await storage.due_schedules(NOW + 10, 10)] == ["s2", "s1"]
    assert await storage.delete_schedule("s2")
    assert not await storage.delete_schedule("s2")
    assert [one.id for one in await storage.get_schedules(["s1", "s2"])] == ["s1"]


async def test_a_schedule_advances_once_per_fire(storage: Storage) -> None:
    await storage.create_schedule(v1.Schedule(id="s", name="s", next_fire_at_us=NOW))
    for index in range(25):
        fire = v1.Fire(at_us=NOW + index, job_id=f"j{index}")
        assert await storage.advance_schedule("s", NOW + index, NOW + index + 1, [fire])
        assert not await storage.advance_schedule("s", NOW + index, NOW + index + 1, [fire])
    (schedule,) = await storage.get_schedules(["s"])
    assert [fire.job_id for fire in schedule.fires] == [f"j{index}" for index in range(24, 4, -1)]
    assert not await storage.advance_schedule("none", NOW, NOW, [])


async def test_workers_are_listed_until_they_fall_silent(storage: Storage) -> None:
    await storage.put_workers([v1.WorkerInfo(id="b", pid=1), v1.WorkerInfo(id="a")], NOW + 10)
    await storage.put_workers([v1.WorkerInfo(id="b", pid=2)], NOW + 20)
    assert [(one.id, one.pid) for one in await storage.list_workers(NOW + 9)] == [("a", 0), ("b", 2)]
    assert [one.id for one in await storage.list_workers(NOW + 10)] == ["b"]
    await storage.delete_worker("b")
    assert await storage.list_workers(NOW) == []
