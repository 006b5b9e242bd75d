"""Listings: criteria, order, pages."""

import random

import pytest

from gotask import v1
from gotask.jobs.ids import IdMaker
from gotask.jobs.states import CANCELLED, DEAD, PENDING, RETRYING, RUNNING, SCHEDULED, SUCCESS
from gotask.storage.contract import JobFilter, Storage
from tests.storage.support import NOW, STATES, add_queue, claim, insert, job, job_in, listed, outcome


def _in(*states: v1.JobState.ValueType) -> JobFilter:
    return JobFilter(states=frozenset(states))


async def test_jobs_are_listed_newest_id_first_in_whatever_order_they_came(storage: Storage) -> None:
    specs = [job() for _ in range(20)]
    ids = [spec.id for spec in specs]
    random.Random(1).shuffle(specs)
    await insert(storage, *specs)
    assert await listed(storage) == ids[::-1]


async def test_a_listed_job_is_whole(storage: Storage) -> None:
    running = await job_in(storage, RUNNING, tags=["x"], payload=b"[1]")
    (listed_job,) = (await storage.list_jobs(JobFilter(), "", 5)).jobs
    assert [listed_job] == await storage.get_jobs([running])


async def test_jobs_are_found_by_queue_type_and_tag(storage: Storage) -> None:
    await add_queue(storage, "mail")
    ids = await insert(
        storage,
        job(type="a", tags=["x", "long" * 16]),
        job(type="b", queue="mail", tags=["xy"]),
        job(type="a", queue="mail", payload=b'"\x6a\x01x"'),
    )
    assert await listed(storage, JobFilter(queue="mail")) == [ids[2], ids[1]]
    assert await listed(storage, JobFilter(type="a")) == [ids[2], ids[0]]
    assert await listed(storage, JobFilter(tag="x")) == [ids[0]]
    assert await listed(storage, JobFilter(tag="long" * 16)) == [ids[0]]
    assert await listed(storage, JobFilter(queue="mail", type="a")) == [ids[2]]
    assert await listed(storage, JobFilter(queue="mail", tag="x")) == []
    assert await listed(storage, JobFilter(queue="nowhere")) == []
    assert await listed(storage, JobFilter(queue="nowhere", states=frozenset({PENDING}))) == []


async def test_jobs_are_found_by_when_they_were_created(storage: Storage) -> None:
    ids = await insert(storage, *[job(created_at_us=NOW + at) for at in (0, 5, 10)])
    assert await listed(storage, JobFilter(created_from_us=NOW + 5)) == [ids[2], ids[1]]
    assert await listed(storage, JobFilter(created_before_us=NOW + 5)) == [ids[0]]
    assert await listed(storage, JobFilter(created_from_us=NOW + 5, created_before_us=NOW + 10)) == [ids[1]]


async def test_jobs_are_found_in_every_state(storage: Storage) -> None:
    ids = {state: await job_in(storage, state) for state in STATES}
    for state, job_id in ids.items():
        assert await listed(storage, _in(state)) == [job_id]
        assert await listed(storage, JobFilter(states=frozenset({state}), queue="default", type="echo")) == [job_id]
    assert await listed(storage, _in(DEAD, SUCCESS, RETRYING)) == [ids[DEAD], ids[SUCCESS], ids[RETRYING]]


async def test_a_state_is_left_when_the_job_leaves_it(storage: Storage) -> None:
    (job_id,) = await insert(storage, job(scheduled_at_us=NOW + 1))
    for command, state in ((storage.release, PENDING), (storage.cancel, CANCELLED), (storage.retry, PENDING)):
        await command([job_id], NOW + 1)
        assert [one for one in STATES if await listed(storage, _in(one))] == [state]
    await storage.cancel([job_id], NOW)
    await storage.delete([job_id])
    assert await listed(storage, _in(*STATES)) == []


async def test_pages_are_stable_while_jobs_come_and_go(storage: Storage) -> None:
    ids = await insert(storage, *[job() for _ in range(10)])
    for criteria in (JobFilter(), _in(PENDING, SCHEDULED)):
        first = await storage.list_jobs(criteria, "", 4)
        assert [one.spec.id for one in first.jobs] == ids[:-5:-1]
        new = await insert(storage, job(), job(scheduled_at_us=NOW + 1))
        await storage.cancel([ids[7], ids[2]], NOW)
        await storage.delete([ids[7], ids[2]])
        rest = await storage.list_jobs(criteria, first.next_cursor, 100)
        assert [one.spec.id for one in rest.jobs] == [*ids[5:2:-1], ids[1], ids[0]]
        assert rest.next_cursor == ""
        await storage.cancel(new, NOW)
        await storage.delete(new)
        ids[7:8], ids[2:3] = (await insert(storage, job(id=ids[7]))), (await insert(storage, job(id=ids[2])))


@pytest.mark.parametrize("criteria", [JobFilter(), _in(PENDING), JobFilter(queue="default", type="echo")])
async def test_what_stays_is_seen_once_and_nothing_twice(storage: Storage, criteria: JobFilter) -> None:
    """A listing, page by page, while others insert, run, cancel and delete."""
    staying = await insert(storage, *[job(tags=["stays"]) for _ in range(30)])
    chance = random.Random(3)
    seen: list[str] = []
    page = await storage.list_jobs(criteria, "", 4)
    while True:
        seen += [one.spec.id for one in page.jobs]
        if not page.next_cursor:
            break
        passing = await insert(storage, *[job(priority=9, tags=["goes"]) for _ in range(chance.randint(1, 4))])
        await storage.finish([outcome(one) for one in await claim(storage, 1)], NOW)
        await storage.cancel(passing, NOW)
        await storage.delete(passing[1:])
        page = await storage.list_jobs(criteria, page.next_cursor, 4)
    assert seen == staying[::-1]


@pytest.mark.parametrize(("jobs", "limit", "sizes"), [(6, 3, [3, 3]), (7, 3, [3, 3, 1]), (2, 3, [2]), (0, 3, [0])])
async def test_the_last_page_has_no_cursor(storage: Storage, jobs: int, limit: int, sizes: list[int]) -> None:
    await insert(storage, *[job() for _ in range(jobs)])
    cursor = ""
    for size in sizes:
        page = await storage.list_jobs(JobFilter(), cursor, limit)
        assert len(page.jobs) == size
        cursor = page.next_cursor
    assert cursor == ""


async def test_a_cursor_of_a_job_that_is_gone_still_counts(storage: Storage) -> None:
    ids = await insert(storage, *[job() for _ in range(4)])
    page = await storage.list_jobs(JobFilter(), "", 2)
    assert page.next_cursor == ids[2]
    await storage.cancel(ids, NOW)
    await storage.delete(ids[2:])
    assert [one.spec.id for one in (await storage.list_jobs(JobFilter(), page.next_cursor, 9)).jobs] == ids[1::-1]


@pytest.mark.parametrize("cursor", ["nonsense", "+", "(", "01a3185c-5000-7000-b0c1-eeb5239033fcx"])
async def test_what_is_no_cursor_is_refused(storage: Storage, cursor: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        await storage.list_jobs(JobFilter(), cursor, 5)


@pytest.mark.usefixtures("unhurried")
async def test_few_among_many_thousands_are_found(storage: Storage) -> None:
    maker = IdMaker()
    ids = [maker.make(NOW + index * 1_000) for index in range(9_000)]
    await insert(storage, *[job(id=job_id, type="rare" if job_id in ids[7:9] else "echo") for job_id in ids])
    await storage.finish([outcome(one) for one in await claim(storage, 3)], NOW)
    assert await listed(storage, JobFilter(type="rare")) == [ids[8], ids[7]]
    assert await listed(storage, _in(SUCCESS)) == [ids[2], ids[1], ids[0]]
    assert await listed(storage, _in(DEAD)) == []
    assert await listed(storage, JobFilter(type="none")) == []
    assert await listed(storage, _in(PENDING), limit=4_000) == ids[:2:-1]
    assert await listed(storage, limit=5_000) == ids[::-1]
