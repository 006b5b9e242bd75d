"""Retention: what has ended is forgotten in time."""

from gotask.jobs.states import CANCELLED, DEAD, FAILED, PENDING, RETRYING, SCHEDULED, SUCCESS, TERMINAL
from gotask.storage.contract import Storage
from tests.storage.support import (
    NOW,
    SECOND,
    add_queue,
    claim,
    end,
    insert,
    job,
    job_in,
    listed,
    outcome,
    start,
)

FOREVER = NOW + 10**15


async def _short_queue(storage: Storage) -> None:
    await add_queue(storage, "short", retention_success_us=10 * SECOND, retention_other_us=20 * SECOND)


async def test_ended_jobs_are_forgotten_after_their_queues_retention(storage: Storage) -> None:
    await _short_queue(storage)
    good, bad = await start(storage, job(queue="short")), await start(storage, job(queue="short"))
    await end(storage, good, now=NOW)
    await end(storage, bad, DEAD, now=NOW)
    assert await storage.prune(NOW + 10 * SECOND - 1, 10) == 0
    assert await storage.prune(NOW + 10 * SECOND, 10) == 1
    assert await listed(storage) == [bad.job_id]
    assert await storage.prune(NOW + 20 * SECOND - 1, 10) == 0
    assert await storage.prune(NOW + 20 * SECOND, 10) == 1
    assert await listed(storage) == []


async def test_every_terminal_state_is_forgotten_and_no_other(storage: Storage) -> None:
    for state in TERMINAL:
        await job_in(storage, state)
    kept = [await job_in(storage, state) for state in (SCHEDULED, RETRYING, PENDING)]
    assert await storage.prune(FOREVER, 100) == len(TERMINAL)
    assert sorted(await listed(storage)) == sorted(kept)


async def test_no_more_are_forgotten_than_asked_for(storage: Storage) -> None:
    await insert(storage, *[job() for _ in range(1_300)])
    running = await claim(storage, 1_300)
    states = (SUCCESS, FAILED, DEAD, CANCELLED)
    await storage.finish([outcome(one, states[index % 4]) for index, one in enumerate(running)], NOW)
    assert [await storage.prune(FOREVER, 600) for _ in range(4)] == [600, 600, 100, 0]
    assert await listed(storage) == []


async def test_the_oldest_success_is_forgotten_first(storage: Storage) -> None:
    claimed = [await start(storage) for _ in range(3)]
    for at, one in enumerate(claimed):
        await end(storage, one, now=NOW + at)
    await storage.prune(FOREVER, 1)
    assert await listed(storage) == [claimed[2].job_id, claimed[1].job_id]


async def test_a_job_retried_by_hand_is_kept(storage: Storage) -> None:
    await _short_queue(storage)
    dead = await job_in(storage, DEAD, queue="short")
    await storage.retry([dead], NOW + SECOND)
    assert await storage.prune(NOW + 60 * SECOND, 10) == 0
    (claimed,) = await claim(storage, 1, "short")
    await end(storage, claimed, DEAD, now=NOW + 60 * SECOND)
    assert await storage.prune(NOW + 79 * SECOND, 10) == 0
    assert await storage.prune(NOW + 80 * SECOND, 10) == 1


async def test_a_success_that_was_deleted_and_came_again_is_kept_for_its_own_time(storage: Storage) -> None:
    await _short_queue(storage)
    first = await job_in(storage, SUCCESS, queue="short")
    await storage.delete([first])
    claimed = await start(storage, job(id=first, queue="short"))
    assert await storage.prune(NOW + 60 * SECOND, 10) == 0
    await end(storage, claimed, now=NOW + 100 * SECOND)
    assert await storage.prune(NOW + 109 * SECOND, 10) == 0
    assert await storage.prune(NOW + 110 * SECOND, 10) == 1
    assert await storage.prune(FOREVER, 10) == 0


async def test_a_changed_retention_counts_for_jobs_that_have_ended(storage: Storage) -> None:
    await job_in(storage, SUCCESS)
    (queue,) = await storage.get_queues(["default"])
    queue.retention_success_us = 5 * SECOND
    await storage.update_queue(queue)
    assert await storage.prune(NOW + 6 * SECOND, 10) == 1


async def test_a_retention_of_nothing_forgets_at_once(storage: Storage) -> None:
    await add_queue(storage, "brief", retention_success_us=0, retention_other_us=0)
    await job_in(storage, SUCCESS, queue="brief")
    await job_in(storage, CANCELLED, queue="brief")
    assert await storage.prune(NOW + SECOND, 10) == 2
