"""Idempotency keys and unique keys."""

import pytest

from gotask import v1
from gotask.jobs.states import CANCELLED, DEAD, EXPIRED, FAILED, PENDING, RETRYING, RUNNING, SCHEDULED, SUCCESS
from gotask.storage.contract import InsertStatus, Storage
from tests.storage.support import NOW, SECOND, add_queue, claim, end, insert, job, job_in, start, state_of

CREATED, DUPLICATE = InsertStatus.CREATED, InsertStatus.DUPLICATE


async def _first_job_with(storage: Storage, **key: str) -> str:
    """The job that a submission with this key is answered with; empty when it is stored."""
    (answer,) = await storage.insert_jobs([job(**key)], NOW)
    return answer.existing_id


async def test_an_idempotency_key_answers_with_the_first_job_as_long_as_it_is_stored(storage: Storage) -> None:
    first, second = job(idempotency_key="k"), job(idempotency_key="k")
    answers = await storage.insert_jobs([first, second], NOW)
    assert [(one.status, one.existing_id) for one in answers] == [(CREATED, ""), (DUPLICATE, first.id)]
    assert await storage.get_jobs([second.id]) == [None]
    (claimed,) = await claim(storage)
    await end(storage, claimed)
    assert await _first_job_with(storage, idempotency_key="k") == first.id
    await storage.delete([first.id])
    assert await _first_job_with(storage, idempotency_key="k") == ""


async def test_an_idempotency_key_is_free_when_its_job_is_pruned_or_its_queue_deleted(storage: Storage) -> None:
    await add_queue(storage, "mail", retention_success_us=SECOND)
    await end(storage, await start(storage, job(queue="mail", idempotency_key="a")))
    dead = await start(storage, job(queue="mail", idempotency_key="b"))
    await end(storage, dead, DEAD)
    assert await storage.prune(NOW + 9 * SECOND, 10) == 1
    assert await _first_job_with(storage, idempotency_key="a") == ""
    assert await _first_job_with(storage, idempotency_key="b") == dead.job_id
    await storage.delete_queue("mail")
    assert await _first_job_with(storage, idempotency_key="b") == ""


@pytest.mark.parametrize("state", [SCHEDULED, PENDING, RUNNING, RETRYING])
async def test_a_unique_key_is_held_while_its_job_is_not_terminal(
    storage: Storage, state: v1.JobState.ValueType
) -> None:
    holder = await job_in(storage, state, unique_key="k")
    assert await _first_job_with(storage, unique_key="k") == holder
    assert await _first_job_with(storage, unique_key="other") == ""


@pytest.mark.parametrize("state", [SUCCESS, FAILED, DEAD, CANCELLED, EXPIRED])
async def test_a_unique_key_is_free_again_when_its_job_is_terminal(
    storage: Storage, state: v1.JobState.ValueType
) -> None:
    await job_in(storage, state, unique_key="k")
    assert await _first_job_with(storage, unique_key="k") == ""


@pytest.mark.parametrize("state", [SCHEDULED, PENDING, RETRYING])
async def test_a_unique_key_is_free_again_when_its_waiting_job_is_cancelled(
    storage: Storage, state: v1.JobState.ValueType
) -> None:
    holder = await job_in(storage, state, unique_key="k")
    await storage.cancel([holder], NOW)
    assert await _first_job_with(storage, unique_key="k") == ""


async def test_deleting_an_old_job_does_not_free_the_key_of_the_next(storage: Storage) -> None:
    old = await job_in(storage, CANCELLED, unique_key="k")
    new = await job_in(storage, PENDING, unique_key="k")
    await storage.delete([old])
    assert await _first_job_with(storage, unique_key="k") == new


async def test_a_retry_by_hand_takes_the_unique_key_again(storage: Storage) -> None:
    dead = await job_in(storage, DEAD, unique_key="k")
    assert (await storage.retry([dead], NOW))[0].changed
    assert await _first_job_with(storage, unique_key="k") == dead


async def test_a_retry_by_hand_is_refused_while_another_job_holds_the_unique_key(storage: Storage) -> None:
    first = await job_in(storage, DEAD, unique_key="k")
    second = await job_in(storage, DEAD, unique_key="k")
    changes = await storage.retry([first, second], NOW)
    assert [(one.changed, one.state) for one in changes] == [(True, PENDING), (False, DEAD)]
    assert await state_of(storage, second) == DEAD


async def test_a_refused_submission_takes_no_key(storage: Storage) -> None:
    (refused,) = await storage.insert_jobs([job(queue="nowhere", unique_key="k", idempotency_key="i")], NOW)
    assert refused.status is InsertStatus.QUEUE_UNKNOWN
    assert await _first_job_with(storage, unique_key="k") == ""
    assert await _first_job_with(storage, idempotency_key="i") == ""


async def test_keys_hold_over_all_queues_and_apart_from_each_other(storage: Storage) -> None:
    await add_queue(storage, "mail")
    (first,) = await insert(storage, job(queue="mail", unique_key="k", idempotency_key="i"))
    assert await _first_job_with(storage, unique_key="k") == first
    assert await _first_job_with(storage, idempotency_key="i") == first
    assert await _first_job_with(storage, unique_key="i") == ""
    assert await _first_job_with(storage, idempotency_key="k") == ""


async def test_an_interleaved_batch_gives_a_key_to_the_first_that_has_it(storage: Storage) -> None:
    await add_queue(storage, "mail")
    specs = [job(), job(queue="mail", unique_key="k"), job(unique_key="k"), job(queue="mail", unique_key="k")]
    answers = await storage.insert_jobs(specs, NOW)
    assert [one.status for one in answers] == [CREATED, CREATED, DUPLICATE, DUPLICATE]
    assert {one.existing_id for one in answers[2:]} == {specs[1].id}
