"""Cancel, delete, retry, keys, limits, pause, progress."""

from gotask import v1
from gotask.jobs.ids import new_id
from gotask.jobs.states import CANCELLED, DEAD, PENDING, RETRYING, RUNNING, SUCCESS
from gotask.storage.contract import DeleteQueueStatus, InsertStatus, Lease, LeaseStatus, ProgressUpdate, Storage
from tests.storage.support import LEASE, NOW, SECOND, add_queue, claim, end, insert, job, state_of


async def test_waiting_jobs_are_cancelled_at_once_and_only_once(storage: Storage) -> None:
    pending, scheduled = await insert(storage, job(), job(scheduled_at_us=NOW + SECOND))
    unknown = new_id()
    first = await storage.cancel([pending, scheduled, unknown], NOW)
    assert [(one.changed, one.state) for one in first] == [(True, CANCELLED), (True, CANCELLED), (False, 0)]
    (again,) = await storage.cancel([pending], NOW)
    assert (again.changed, again.state) == (False, CANCELLED)
    assert await claim(storage, 5) == []
    assert await storage.due_jobs(NOW + 2 * SECOND, 5) == []


async def test_a_running_job_is_marked_and_its_worker_hears_of_it(storage: Storage) -> None:
    await insert(storage, job())
    (claimed,) = await claim(storage, worker="w7")
    (change,) = await storage.cancel([claimed.job_id], NOW)
    assert change == (True, RUNNING, "default", "w7")
    (again,) = await storage.cancel([claimed.job_id], NOW)
    assert (again.changed, again.state) == (False, RUNNING)
    (status,) = await storage.extend_leases([Lease(claimed.job_id, "default", 1)], [NOW + LEASE])
    assert status is LeaseStatus.CANCEL_REQUESTED


async def test_a_job_to_be_cancelled_does_not_wait_again(storage: Storage) -> None:
    await insert(storage, job(), job(), job())
    for claimed, wanted, becomes in zip(
        await claim(storage, 3), [PENDING, RETRYING, SUCCESS], [CANCELLED, CANCELLED, SUCCESS], strict=True
    ):
        await storage.cancel([claimed.job_id], NOW)
        assert (await end(storage, claimed, wanted, due_at_us=NOW)).state == becomes
        assert await state_of(storage, claimed.job_id) == becomes


async def test_only_terminal_jobs_are_deleted(storage: Storage) -> None:
    pending, ended = await insert(storage, job(), job(idempotency_key="k"))
    await storage.cancel([ended], NOW)
    changes = await storage.delete([pending, ended, ended, new_id()])
    assert [one.changed for one in changes] == [False, True, False, False]
    assert (await storage.get_jobs([ended]))[0] is None
    (again,) = await storage.insert_jobs([job(idempotency_key="k")], NOW)
    assert again.status is InsertStatus.CREATED


async def test_a_retry_by_hand_forgives_attempts_and_keeps_history(storage: Storage) -> None:
    await insert(storage, job())
    (claimed,) = await claim(storage)
    assert not (await storage.retry([claimed.job_id], NOW))[0].changed
    await end(storage, claimed, DEAD)
    (change,) = await storage.retry([claimed.job_id], NOW + 2 * SECOND)
    assert (change.changed, change.state, change.queue) == (True, PENDING, "default")
    (second,) = await claim(storage)
    assert (second.attempt, second.tries) == (2, 1)
    (found,) = await storage.get_jobs([claimed.job_id])
    assert found is not None
    assert len(found.history.attempts) == 1
    await end(storage, second)
    assert not (await storage.retry([claimed.job_id], NOW))[0].changed


async def test_an_idempotency_key_answers_with_the_first_job_as_long_as_it_is_stored(storage: Storage) -> None:
    first, second = job(idempotency_key="k"), job(idempotency_key="k")
    answers = await storage.insert_jobs([first, second], NOW)
    assert answers[1] == (InsertStatus.DUPLICATE, 0, first.id)
    (claimed,) = await claim(storage)
    await end(storage, claimed)
    (third,) = await storage.insert_jobs([job(idempotency_key="k")], NOW)
    assert third.existing_id == first.id


async def test_a_unique_key_is_free_again_when_its_job_is_terminal(storage: Storage) -> None:
    first = job(unique_key="k")
    await insert(storage, first)
    (second,) = await storage.insert_jobs([job(unique_key="k")], NOW)
    assert second.existing_id == first.id
    (claimed,) = await claim(storage)
    (third,) = await storage.insert_jobs([job(unique_key="k")], NOW)
    assert third.existing_id == first.id
    await end(storage, claimed)
    (fourth,) = await storage.insert_jobs([job(unique_key="k")], NOW)
    assert fourth.status is InsertStatus.CREATED


async def test_max_workers_bounds_what_runs_at_once(storage: Storage) -> None:
    await add_queue(storage, "narrow", max_workers=2)
    await insert(storage, *[job(queue="narrow") for _ in range(4)])
    first = await claim(storage, 4, "narrow")
    assert len(first) == 2
    assert await claim(storage, 4, "narrow") == []
    await end(storage, first[0])
    assert len(await claim(storage, 4, "narrow")) == 1


async def test_a_rate_limit_is_a_bucket_of_one_second(storage: Storage) -> None:
    await add_queue(storage, "slow", rate_limit=2.0)
    await insert(storage, *[job(queue="slow") for _ in range(9)])
    counts = [len(await claim(storage, 9, "slow", now=NOW + at)) for at in (0, 0, SECOND // 2, 9 * SECOND)]
    assert counts == [2, 0, 1, 2]


async def test_a_full_queue_takes_jobs_again_when_one_starts(storage: Storage) -> None:
    await add_queue(storage, "small", max_length=2)
    waiting = [job(queue="small"), job(queue="small", scheduled_at_us=NOW + 1), job(queue="small")]
    statuses = [one.status for one in await storage.insert_jobs(waiting, NOW)]
    assert statuses == [InsertStatus.CREATED, InsertStatus.CREATED, InsertStatus.QUEUE_FULL]
    await claim(storage, 1, "small")
    (again,) = await storage.insert_jobs([waiting[2]], NOW)
    assert again.status is InsertStatus.CREATED


async def test_a_paused_queue_gives_nothing(storage: Storage) -> None:
    await insert(storage, job())
    assert await storage.set_paused("default", True, NOW)
    assert (await storage.get_queues(["default"]))[0].paused
    assert await claim(storage) == []
    assert await storage.set_paused("default", False, NOW)
    assert len(await claim(storage)) == 1
    assert not await storage.set_paused("nowhere", True, NOW)


async def test_progress_counts_only_from_the_attempt_that_holds_the_lease(storage: Storage) -> None:
    await insert(storage, job())
    (claimed,) = await claim(storage)
    progress = v1.Progress(percent=40, message="half", at_us=NOW)
    updates = [
        ProgressUpdate(claimed.job_id, 1, progress.SerializeToString()),
        ProgressUpdate(claimed.job_id, 2, b""),
        ProgressUpdate(new_id(), 1, b""),
    ]
    assert await storage.set_progress(updates) == [True, False, False]
    (found,) = await storage.get_jobs([claimed.job_id])
    assert found is not None
    assert found.progress == progress


async def test_queues_are_created_updated_and_deleted(storage: Storage) -> None:
    await add_queue(storage, "mail", max_workers=3)
    (queue,) = await storage.get_queues(["mail", "nowhere"])
    assert not await storage.create_queue(queue)
    queue.max_workers, queue.paused = 4, True
    assert await storage.update_queue(queue)
    (updated,) = await storage.get_queues(["mail"])
    assert (updated.max_workers, updated.paused) == (4, False)
    assert [one.name for one in await storage.get_queues()] == ["default", "mail"]
    queue.name = "nowhere"
    assert not await storage.update_queue(queue)


async def test_a_queue_is_deleted_with_its_ended_jobs_but_not_with_waiting_ones(storage: Storage) -> None:
    await add_queue(storage, "mail")
    waiting, ended = await insert(storage, job(queue="mail"), job(queue="mail"))
    await storage.cancel([ended], NOW)
    assert await storage.delete_queue("mail") is DeleteQueueStatus.NOT_EMPTY
    await storage.cancel([waiting], NOW)
    assert await storage.delete_queue("mail") is DeleteQueueStatus.DELETED
    assert await storage.delete_queue("mail") is DeleteQueueStatus.UNKNOWN
    assert await storage.get_jobs([waiting, ended]) == [None, None]
