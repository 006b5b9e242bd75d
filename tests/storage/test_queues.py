"""Queues and their figures."""

from gotask import v1
from gotask.jobs.request import default_queue
from gotask.jobs.states import CANCELLED, DEAD, FAILED, PENDING, RETRYING, RUNNING, SCHEDULED, SUCCESS, TERMINAL
from gotask.storage.contract import DeleteQueueStatus, InsertStatus, JobFilter, Storage
from tests.storage.support import (
    NOW,
    SECOND,
    STATES,
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


async def test_a_queue_comes_back_as_it_was_created(storage: Storage) -> None:
    queue = default_queue("mail", NOW)
    queue.rate_limit, queue.max_workers, queue.paused = 0.1, 7, True
    assert await storage.create_queue(queue)
    assert await storage.get_queues(["mail"]) == [queue]
    assert not await storage.create_queue(default_queue("mail", NOW + 1))
    assert await storage.get_queues(["mail"]) == [queue]


async def test_queues_are_listed_by_name(storage: Storage) -> None:
    await add_queue(storage, "b")
    await add_queue(storage, "A")
    assert [one.name for one in await storage.get_queues()] == ["A", "b", "default"]
    assert [one.name for one in await storage.get_queues(["b", "nowhere", "A", "b"])] == ["A", "b"]
    assert await storage.get_queues([]) == []


async def test_an_update_replaces_all_but_paused_and_creation(storage: Storage) -> None:
    await add_queue(storage, "mail", max_workers=3, rate_limit=2.0)
    await storage.set_paused("mail", paused=True, now_us=NOW + 1)
    changed = default_queue("mail", NOW + 9)
    changed.max_workers, changed.weight = 4, 5
    assert await storage.update_queue(changed)
    (updated,) = await storage.get_queues(["mail"])
    changed.paused, changed.created_at_us = True, NOW
    assert updated == changed
    assert not await storage.update_queue(default_queue("nowhere", NOW))


async def test_pausing_twice_changes_nothing(storage: Storage) -> None:
    assert await storage.set_paused("default", paused=True, now_us=NOW + 1)
    assert await storage.set_paused("default", paused=True, now_us=NOW + 2)
    (queue,) = await storage.get_queues(["default"])
    assert (queue.paused, queue.updated_at_us) == (True, NOW + 1)
    assert not await storage.set_paused("nowhere", paused=True, now_us=NOW)


async def test_a_queue_in_which_jobs_wait_or_run_is_not_deleted(storage: Storage) -> None:
    for state in (SCHEDULED, PENDING, RUNNING, RETRYING):
        name = f"q{state}"
        await add_queue(storage, name)
        ended = await job_in(storage, DEAD, queue=name)
        await job_in(storage, state, queue=name)
        assert await storage.delete_queue(name) is DeleteQueueStatus.NOT_EMPTY
        assert len(await storage.get_queues([name])) == 1
        assert await storage.get_jobs([ended]) != [None]


async def test_a_deleted_queue_takes_its_ended_jobs_with_it_and_no_others(storage: Storage) -> None:
    await add_queue(storage, "mail")
    gone = [await job_in(storage, state, queue="mail") for state in TERMINAL]
    kept = [await job_in(storage, state) for state in TERMINAL]
    assert await storage.delete_queue("mail") is DeleteQueueStatus.DELETED
    assert await storage.delete_queue("mail") is DeleteQueueStatus.UNKNOWN
    assert await storage.get_jobs(gone) == [None] * len(gone)
    assert sorted(await listed(storage)) == sorted(kept)
    (refused,) = await storage.insert_jobs([job(queue="mail")], NOW)
    assert refused.status is InsertStatus.QUEUE_UNKNOWN


async def test_thousands_of_ended_jobs_go_with_their_queue(storage: Storage) -> None:
    await add_queue(storage, "mail")
    await insert(storage, *[job(queue="mail") for _ in range(2_500)])
    running = await claim(storage, 1_200, "mail")
    await storage.finish([outcome(one, (SUCCESS, FAILED)[index % 2]) for index, one in enumerate(running)], NOW)
    await storage.cancel([one.spec.id for one in (await storage.list_jobs(_pending("mail"), "", 5_000)).jobs], NOW)
    assert await storage.delete_queue("mail") is DeleteQueueStatus.DELETED
    assert await listed(storage) == []


def _pending(queue: str) -> JobFilter:
    return JobFilter(states=frozenset({PENDING}), queue=queue)


async def test_a_queue_made_again_begins_anew(storage: Storage) -> None:
    await add_queue(storage, "mail", rate_limit=1.0)
    await job_in(storage, SUCCESS, queue="mail")
    await storage.delete_queue("mail")
    await add_queue(storage, "mail")
    assert await storage.queue_stats(["mail"], NOW) == [v1.QueueStats(name="mail")]


async def test_a_job_that_moved_on_to_another_queue_stays_when_its_first_queue_is_deleted(storage: Storage) -> None:
    await add_queue(storage, "old")
    first = await job_in(storage, SUCCESS, queue="old")
    await storage.delete([first])
    claimed = await start(storage, job(id=first))
    await end(storage, claimed)
    assert await storage.delete_queue("old") is DeleteQueueStatus.DELETED
    assert await listed(storage) == [first]


async def test_figures_count_every_state(storage: Storage) -> None:
    for state in STATES:
        for _ in range(state):
            await job_in(storage, state)
    stats, nothing = await storage.queue_stats(["default", "nowhere"], NOW + SECOND)
    assert stats == v1.QueueStats(
        name="default",
        pending=PENDING,
        running=RUNNING,
        scheduled=SCHEDULED,
        retrying=RETRYING,
        dead=DEAD,
        completed_total=SUCCESS,
        failed_total=FAILED + DEAD,
        finished_last_minute=SUCCESS + FAILED + DEAD,
        oldest_ready_at_us=NOW,
    )
    assert nothing == v1.QueueStats(name="nowhere")


async def test_an_empty_queue_has_zeros_and_tells_that_it_is_paused(storage: Storage) -> None:
    await storage.set_paused("default", paused=True, now_us=NOW)
    (stats,) = await storage.queue_stats(["default"], NOW)
    assert stats == v1.QueueStats(name="default", paused=True)


async def test_totals_stay_when_jobs_are_deleted_or_retried(storage: Storage) -> None:
    success, dead = await job_in(storage, SUCCESS), await job_in(storage, DEAD)
    await storage.delete([success])
    await storage.retry([dead], NOW)
    (stats,) = await storage.queue_stats(["default"], NOW)
    assert (stats.completed_total, stats.failed_total, stats.dead, stats.pending) == (1, 1, 0, 1)


async def test_the_oldest_is_the_next_in_line(storage: Storage) -> None:
    await insert(storage, job(priority=1), now=NOW)
    await insert(storage, job(priority=9), now=NOW + 5)
    (stats,) = await storage.queue_stats(["default"], NOW + 9)
    assert stats.oldest_ready_at_us == NOW + 5
    (claimed,) = await claim(storage)
    await end(storage, claimed, PENDING, now=NOW + 7)
    (stats,) = await storage.queue_stats(["default"], NOW + 9)
    assert stats.oldest_ready_at_us == NOW + 7


async def test_jobs_that_ended_within_a_minute_are_counted_in_steps_of_ten_seconds(storage: Storage) -> None:
    async def last_minute(at: int) -> int:
        return (await storage.queue_stats(["default"], at))[0].finished_last_minute

    for second in range(0, 100, 5):
        await end(storage, await start(storage), now=NOW + second * SECOND)
    await end(storage, await start(storage), CANCELLED, now=NOW + 95 * SECOND)
    assert [await last_minute(NOW + at * SECOND) for at in (99, 100, 149, 150, 1_000)] == [12, 10, 2, 0, 0]
    await end(storage, await start(storage), now=NOW + 200 * SECOND)
    assert await last_minute(NOW + 200 * SECOND) == 1
