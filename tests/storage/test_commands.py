"""Cancel, delete, retry."""

import pytest

from gotask import v1
from gotask.jobs.states import CANCELLED, DEAD, EXPIRED, PENDING, RETRYING, RUNNING, SUCCESS
from gotask.storage.contract import Change, ProgressUpdate, Storage
from tests.storage.support import (
    LEASE,
    NOW,
    SECOND,
    claim,
    end,
    get,
    insert,
    job,
    job_in,
    listed,
    new_id,
    start,
    state_of,
)

UNKNOWN = Change(False, v1.JOB_STATE_UNSPECIFIED)


async def test_waiting_jobs_are_cancelled_at_once_and_only_once(storage: Storage) -> None:
    pending, scheduled = await insert(storage, job(), job(scheduled_at_us=NOW + SECOND))
    cancelled, unchanged = Change(True, CANCELLED, "default"), Change(False, CANCELLED, "default")
    changes = await storage.cancel([pending, scheduled, new_id(), pending], NOW + 3)
    assert changes == [cancelled, cancelled, UNKNOWN, unchanged]
    assert await storage.cancel([pending], NOW) == [unchanged]
    assert (await get(storage, pending)).finished_at_us == NOW + 3
    assert await claim(storage, 5) == []


async def test_a_running_job_is_marked_and_its_worker_named(storage: Storage) -> None:
    claimed = await start(storage, worker="w7")
    assert await storage.cancel([claimed.job_id], NOW) == [Change(True, RUNNING, "default", "w7")]
    assert await storage.cancel([claimed.job_id], NOW) == [Change(False, RUNNING, "default", "w7")]
    assert (await get(storage, claimed.job_id)).cancel_requested


async def test_no_worker_is_named_for_a_job_that_does_not_run(storage: Storage) -> None:
    claimed = await start(storage, worker="w7")
    await end(storage, claimed, PENDING)
    assert await storage.cancel([claimed.job_id], NOW) == [Change(True, CANCELLED, "default", "")]


async def test_a_cancellation_outlives_a_lease(storage: Storage) -> None:
    claimed = await start(storage)
    await storage.cancel([claimed.job_id], NOW)
    assert len(await storage.expired_leases(NOW + LEASE, 10)) == 1
    await end(storage, claimed, PENDING)
    assert await state_of(storage, claimed.job_id) == CANCELLED


async def test_only_terminal_jobs_are_deleted(storage: Storage) -> None:
    ended = await job_in(storage, CANCELLED)
    pending = await job_in(storage, PENDING)
    changes = await storage.delete([pending, ended, ended, new_id()])
    assert changes == [Change(False, PENDING, "default"), Change(True, CANCELLED, "default"), UNKNOWN, UNKNOWN]
    assert await storage.get_jobs([ended]) == [None]
    assert await listed(storage) == [pending]


async def test_a_deleted_id_may_be_inserted_again(storage: Storage) -> None:
    claimed = await start(storage)
    await end(storage, claimed, result=b"1")
    await storage.delete([claimed.job_id])
    await insert(storage, job(id=claimed.job_id, type="second"))
    found = await get(storage, claimed.job_id)
    assert (found.spec.type, found.state, found.attempt, found.result) == ("second", PENDING, 0, b"")
    assert not found.HasField("history")
    assert await listed(storage) == [claimed.job_id]


async def test_a_retry_by_hand_forgives_attempts_and_keeps_history(storage: Storage) -> None:
    claimed = await start(storage)
    await storage.set_progress([ProgressUpdate(claimed.job_id, 1, v1.Progress(percent=4).SerializeToString())])
    await end(storage, claimed, DEAD)
    later = NOW + 2 * SECOND
    assert await storage.retry([claimed.job_id], later) == [Change(True, PENDING, "default")]
    found = await get(storage, claimed.job_id)
    assert (found.state, found.attempt, found.attempts_forgiven, found.finished_at_us) == (PENDING, 1, 1, 0)
    assert (found.ready_at_us, len(found.history.attempts)) == (later, 1)
    assert not found.HasField("progress")
    (second,) = await claim(storage)
    assert (second.attempt, second.tries) == (2, 1)


async def test_a_job_is_retried_once_in_a_batch(storage: Storage) -> None:
    dead = await job_in(storage, DEAD)
    changes = await storage.retry([dead, dead, new_id()], NOW)
    assert [one.changed for one in changes] == [True, False, False]
    assert len(await claim(storage, 5)) == 1


async def test_a_retry_by_hand_lifts_a_cancellation(storage: Storage) -> None:
    claimed = await start(storage)
    await storage.cancel([claimed.job_id], NOW)
    await end(storage, claimed, CANCELLED)
    await storage.retry([claimed.job_id], NOW)
    assert not (await get(storage, claimed.job_id)).cancel_requested
    (second,) = await claim(storage)
    await end(storage, second, RETRYING, due_at_us=NOW)
    assert await state_of(storage, claimed.job_id) == RETRYING


async def test_a_retry_by_hand_lifts_the_time_to_live(storage: Storage) -> None:
    expired = await job_in(storage, EXPIRED)
    assert (await storage.retry([expired], NOW))[0].changed
    assert await storage.expire_jobs(NOW + SECOND, 10) == []
    assert [one.job_id for one in await claim(storage, 5, now=NOW + SECOND)] == [expired]


async def test_a_stale_outcome_does_not_touch_a_job_retried_by_hand(storage: Storage) -> None:
    claimed = await start(storage)
    await end(storage, claimed, DEAD)
    await storage.retry([claimed.job_id], NOW)
    await end(storage, claimed, DEAD)
    await end(storage, claimed, SUCCESS)
    assert await state_of(storage, claimed.job_id) == PENDING
    assert len((await get(storage, claimed.job_id)).history.attempts) == 1


@pytest.mark.parametrize("command", ["cancel", "retry", "release"])
async def test_a_command_for_no_jobs_has_no_answers(storage: Storage, command: str) -> None:
    assert await getattr(storage, command)([], NOW) == []
    assert await storage.delete([]) == []
    assert await storage.get_jobs([]) == []


@pytest.mark.usefixtures("unhurried")
async def test_commands_take_thousands_of_jobs(storage: Storage) -> None:
    ids = await insert(storage, *[job() for _ in range(9_000)])
    assert all(one.changed for one in await storage.cancel(ids, NOW))
    assert all(one.changed for one in await storage.retry(ids, NOW))
    assert all(one.changed for one in await storage.cancel(ids, NOW))
    assert all(one.changed for one in await storage.delete(ids))
    assert await listed(storage) == []
