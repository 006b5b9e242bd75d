"""Time is what the caller says: nothing depends on the clock of this machine, or of the server."""

import pytest

from gotask import v1
from gotask.jobs.request import default_queue
from gotask.jobs.states import EXPIRED, PENDING, RETRYING, SUCCESS
from gotask.storage.contract import DueJob, Storage
from tests.storage.support import LEASE, SECOND, claim, end, get, insert, job, state_of

SOON_AFTER_1970 = 3_600 * SECOND
YEAR_2200 = 7_258_118_400 * SECOND


@pytest.mark.parametrize("now", [SOON_AFTER_1970, YEAR_2200])
async def test_a_job_lives_at_any_time(storage: Storage, now: int) -> None:
    spec = job(created_at_us=now, scheduled_at_us=now + 7, expires_at_us=now + 9 * SECOND)
    await insert(storage, spec, now=now)
    assert await storage.next_due() == now + 7
    assert await storage.due_jobs(now + 7, 9) == [DueJob(spec.id, now + 7)]
    await storage.release([spec.id], now + 7)
    (claimed,) = await claim(storage, now=now + 8)
    assert [lease.job_id for lease in await storage.expired_leases(now + 8 + LEASE, 9)] == [spec.id]
    assert await storage.expired_leases(now + 7 + LEASE, 9) == []
    await end(storage, claimed, RETRYING, now=now + 10, due_at_us=now + 20)
    assert await storage.expire_jobs(now + 9 * SECOND - 1, 9) == []
    await storage.release([spec.id], now + 20)
    (claimed,) = await claim(storage, now=now + 21)
    await end(storage, claimed, SUCCESS, now=now + SECOND)
    found = await get(storage, spec.id)
    assert (found.spec, found.ready_at_us, found.started_at_us) == (spec, now + 20, now + 21)
    assert (found.finished_at_us, found.state) == (now + SECOND, SUCCESS)


@pytest.mark.parametrize("now", [SOON_AFTER_1970, YEAR_2200])
async def test_rates_retention_and_workers_go_by_the_callers_clock(storage: Storage, now: int) -> None:
    queue = default_queue("slow", now)
    queue.rate_limit, queue.retention_success_us = 2.0, 10 * SECOND
    await storage.create_queue(queue)
    await insert(storage, *[job(queue="slow", created_at_us=now) for _ in range(9)], now=now)
    started = [len(await claim(storage, 9, "slow", now=now + at)) for at in (0, 0, SECOND // 2, SECOND)]
    assert started == [2, 0, 1, 1]
    (claimed,) = await claim(storage, 1, "slow", now=now + 2 * SECOND)
    await end(storage, claimed, now=now + 2 * SECOND)
    (stats,) = await storage.queue_stats(["slow"], now + 3 * SECOND)
    assert (stats.finished_last_minute, stats.oldest_ready_at_us) == (1, now)
    assert [await storage.prune(now + at * SECOND, 9) for at in (11, 12)] == [0, 1]
    await storage.put_workers([v1.WorkerInfo(id="w")], now + 5)
    assert [len(await storage.list_workers(now + at)) for at in (4, 5)] == [1, 0]


async def test_a_clock_that_steps_back_does_no_harm(storage: Storage) -> None:
    """Two queue-managers whose clocks differ: what the slow one sees is as it was, and no more."""
    ahead, behind = 1_000 * SECOND, 990 * SECOND
    later, short = job(scheduled_at_us=ahead), job(expires_at_us=ahead)
    await insert(storage, later, short, now=behind)
    assert (await storage.release([later.id], behind))[0].changed is False
    assert await storage.expire_jobs(ahead, 9) != []
    await storage.release([later.id], ahead)
    (claimed,) = await claim(storage, 5, now=behind)
    assert (claimed.job_id, claimed.ready_at_us) == (later.id, ahead)
    await end(storage, claimed, PENDING, now=behind)
    assert (await get(storage, later.id)).ready_at_us == behind
    assert await state_of(storage, short.id) == EXPIRED


async def test_an_expired_job_costs_no_token_and_no_place(storage: Storage) -> None:
    now = SOON_AFTER_1970
    queue = default_queue("slow", now)
    queue.rate_limit, queue.max_workers = 1.0, 1
    await storage.create_queue(queue)
    ids = await insert(
        storage, *[job(queue="slow", expires_at_us=now), job(queue="slow", expires_at_us=now), job(queue="slow")], now=0
    )
    assert [one.job_id for one in await claim(storage, 5, "slow", now=now)] == ids[2:]
