"""max_length and rate_limit."""

import pytest

from gotask import v1
from gotask.jobs.states import PENDING, RETRYING
from gotask.storage.contract import InsertStatus, Storage
from tests.storage.support import NOW, SECOND, add_queue, claim, end, insert, job

FULL = InsertStatus.QUEUE_FULL


async def _statuses(storage: Storage, *specs: v1.JobSpec) -> list[InsertStatus]:
    return [one.status for one in await storage.insert_jobs(specs, NOW)]


async def test_a_full_queue_refuses_jobs_and_stores_nothing_of_them(storage: Storage) -> None:
    await add_queue(storage, "small", max_length=2)
    specs = [job(queue="small"), job(queue="small", scheduled_at_us=NOW + 1), job(queue="small", unique_key="k")]
    assert await _statuses(storage, *specs) == [InsertStatus.CREATED, InsertStatus.CREATED, FULL]
    assert await storage.get_jobs([specs[2].id]) == [None]
    assert await _statuses(storage, job(unique_key="k")) == [InsertStatus.CREATED]


async def test_running_jobs_leave_room_and_those_that_wait_again_take_it(storage: Storage) -> None:
    await add_queue(storage, "small", max_length=2)
    await insert(storage, job(queue="small"), job(queue="small"))
    first, second = await claim(storage, 2, "small")
    assert await _statuses(storage, job(queue="small")) == [InsertStatus.CREATED]
    await end(storage, first, RETRYING, due_at_us=NOW + SECOND)
    assert await _statuses(storage, job(queue="small")) == [FULL]
    await end(storage, second, PENDING)
    (stats,) = await storage.queue_stats(["small"], NOW)
    assert (stats.pending, stats.retrying) == (2, 1)


async def test_max_length_counts_within_one_batch_over_interleaved_queues(storage: Storage) -> None:
    await add_queue(storage, "small", max_length=3)
    specs = [job(queue=queue) for _ in range(3) for queue in ("small", "default", "small")]
    statuses = await _statuses(storage, *specs)
    small = [status for spec, status in zip(specs, statuses, strict=True) if spec.queue == "small"]
    assert small == [InsertStatus.CREATED] * 3 + [FULL] * 3
    assert statuses.count(InsertStatus.CREATED) == 6


async def test_a_duplicate_is_a_duplicate_in_a_full_queue_too(storage: Storage) -> None:
    await add_queue(storage, "small", max_length=1)
    spec = job(queue="small")
    assert await _statuses(storage, spec, spec, job(queue="small")) == [
        InsertStatus.CREATED,
        InsertStatus.DUPLICATE,
        FULL,
    ]


async def _started(storage: Storage, queue: str, at_s: float, capacity: int = 9) -> int:
    return len(await claim(storage, capacity, queue, now=NOW + round(at_s * SECOND)))


async def test_a_rate_limit_is_a_bucket_of_one_seconds_worth(storage: Storage) -> None:
    await add_queue(storage, "slow", rate_limit=4.0)
    await insert(storage, *[job(queue="slow") for _ in range(20)])
    assert [await _started(storage, "slow", at) for at in (0, 0, 0.25, 0.5, 100, 100)] == [4, 0, 1, 1, 4, 0]


async def test_tokens_that_were_not_taken_stay_in_the_bucket(storage: Storage) -> None:
    await add_queue(storage, "slow", rate_limit=4.0)
    await insert(storage, *[job(queue="slow") for _ in range(20)])
    assert await _started(storage, "slow", 0, capacity=1) == 1
    assert await _started(storage, "slow", 0.25) == 4


@pytest.mark.parametrize(("at_s", "starts"), [(1.9, 0), (2.0, 1), (3.9, 1), (60, 1)])
async def test_a_rate_below_one_holds_one_token(storage: Storage, at_s: float, starts: int) -> None:
    await add_queue(storage, "slow", rate_limit=0.5)
    await insert(storage, *[job(queue="slow") for _ in range(5)])
    assert await _started(storage, "slow", 0) == 1
    assert await _started(storage, "slow", at_s) == starts


async def test_a_clock_that_steps_back_gives_no_tokens(storage: Storage) -> None:
    await add_queue(storage, "slow", rate_limit=2.0)
    await insert(storage, *[job(queue="slow") for _ in range(9)])
    assert [await _started(storage, "slow", at) for at in (10, 5, 10, 10.5)] == [2, 0, 0, 1]


async def test_both_limits_hold_at_once(storage: Storage) -> None:
    await add_queue(storage, "slow", rate_limit=5.0, max_workers=3)
    await insert(storage, *[job(queue="slow") for _ in range(9)])
    running = await claim(storage, 9, "slow")
    assert len(running) == 3
    for one in running:
        await end(storage, one)
    assert await _started(storage, "slow", 0) == 2
