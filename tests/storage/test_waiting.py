"""Jobs that wait on time: due, released, expired."""

import pytest

from gotask.jobs.states import CANCELLED, EXPIRED, PENDING, RETRYING, RUNNING
from gotask.storage.contract import Change, DueJob, QueuedJob, Share, Slot, Storage
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
    new_id,
    start,
    state_of,
)


async def test_a_retrying_job_waits_until_it_is_due(storage: Storage) -> None:
    claimed = await start(storage)
    due = NOW + 60 * SECOND
    await end(storage, claimed, RETRYING, due_at_us=due)
    assert await claim(storage, now=due) == []
    assert await storage.release([claimed.job_id], due - 1) == [Change(False, RETRYING, "default", "")]
    assert await storage.release([claimed.job_id], due) == [Change(True, PENDING, "default", "")]
    assert await storage.release([claimed.job_id], due) == [Change(False, PENDING, "default", "")]
    (second,) = await claim(storage, now=due)
    assert (second.attempt, second.tries, second.ready_at_us) == (2, 2, due)


async def test_due_jobs_are_found_earliest_first_and_stay(storage: Storage) -> None:
    late, early = await insert(storage, job(scheduled_at_us=NOW + 20), job(scheduled_at_us=NOW + 10))
    assert await storage.next_due() == NOW + 10
    assert await storage.due_jobs(NOW + 9, 10) == []
    both = [DueJob(early, NOW + 10), DueJob(late, NOW + 20)]
    for _ in range(2):
        assert await storage.due_jobs(NOW + 20, 10) == both
        assert await storage.due_jobs(NOW + 20, 1) == both[:1]


async def test_what_is_no_longer_delayed_is_no_longer_due(storage: Storage) -> None:
    released, cancelled = await insert(storage, job(scheduled_at_us=NOW + 1), job(scheduled_at_us=NOW + 2))
    await storage.release([released], NOW + 1)
    await storage.cancel([cancelled], NOW)
    assert await storage.due_jobs(NOW + 9, 10) == []
    assert await storage.next_due() is None
    assert (await get(storage, cancelled)).due_at_us == 0


async def test_a_batch_of_releases_has_one_answer_per_job(storage: Storage) -> None:
    due, early = await insert(storage, job(scheduled_at_us=NOW + 1), job(scheduled_at_us=NOW + 9))
    changes = await storage.release([due, early, new_id(), due], NOW + 1)
    assert [one.changed for one in changes] == [True, False, False, False]
    assert changes[2].state == 0


@pytest.mark.parametrize("late", [0, 1])
async def test_a_job_past_its_time_to_live_never_starts(storage: Storage, late: int) -> None:
    expiring, other = await insert(storage, job(expires_at_us=NOW + 10), job())
    claims = await storage.claim([Slot("w", 5, [Share("default", 5)])], NOW + 9 + late, NOW + LEASE)
    started = [one.job_id for one in claims.jobs[0]]
    assert started == ([other] if late else [expiring, other])
    assert claims.expired == ([QueuedJob(expiring, "default")] if late else [])


async def test_expired_jobs_in_line_do_not_take_a_workers_place(storage: Storage) -> None:
    ids = await insert(storage, *[job(expires_at_us=NOW + index % 2 * SECOND) for index in range(8)])
    claims = await storage.claim([Slot("w", 3, [Share("default", 3)])], NOW, NOW + LEASE)
    assert [one.job_id for one in claims.jobs[0]] == [ids[1], ids[3], ids[5]]
    assert [one.job_id for one in claims.expired] == [ids[0], ids[2], ids[4]]
    found = await get(storage, ids[0])
    assert (found.state, found.finished_at_us, found.attempt) == (EXPIRED, NOW, 0)


async def test_waiting_jobs_expire_without_a_claim(storage: Storage) -> None:
    fields = {"expires_at_us": NOW + 10 * SECOND}
    scheduled, pending, later = await insert(
        storage,
        job(expires_at_us=NOW + 5, scheduled_at_us=NOW + 9),
        job(expires_at_us=NOW + 6),
        job(**fields),
    )
    assert await storage.expire_jobs(NOW + 4, 10) == []
    assert await storage.expire_jobs(NOW + 6, 1) == [QueuedJob(scheduled, "default")]
    assert await storage.expire_jobs(NOW + 6, 10) == [QueuedJob(pending, "default")]
    assert await state_of(storage, scheduled) == EXPIRED
    assert await storage.next_due() is None
    assert [one.job_id for one in await claim(storage, 5, now=NOW + 11)] == [later]


async def test_a_running_job_does_not_expire_but_does_when_it_waits_again(storage: Storage) -> None:
    handed_back = await start(storage, job(expires_at_us=NOW + 10))
    retrying = await start(storage, job(expires_at_us=NOW + 10))
    assert await storage.expire_jobs(NOW + 99, 10) == []
    await end(storage, handed_back, PENDING)
    await end(storage, retrying, RETRYING, due_at_us=NOW + 50)
    expired = await storage.expire_jobs(NOW + 99, 10)
    assert sorted(expired) == sorted(QueuedJob(one.job_id, "default") for one in (handed_back, retrying))
    assert (await get(storage, retrying.job_id)).due_at_us == 0


async def test_what_has_ended_does_not_expire(storage: Storage) -> None:
    cancelled = await job_in(storage, CANCELLED, expires_at_us=NOW + 10)
    waiting = await job_in(storage, PENDING, expires_at_us=NOW + 10)
    await storage.cancel([waiting], NOW)
    assert await storage.expire_jobs(NOW + 99, 10) == []
    assert await state_of(storage, cancelled) == CANCELLED


async def test_a_job_inserted_again_after_its_deletion_has_its_own_times(storage: Storage) -> None:
    spec = job(expires_at_us=NOW + 10, scheduled_at_us=NOW + 5)
    await insert(storage, spec)
    await storage.cancel([spec.id], NOW)
    await storage.delete([spec.id])
    spec.expires_at_us, spec.scheduled_at_us = NOW + 100, NOW + 5
    await insert(storage, spec)
    assert await storage.due_jobs(NOW + 10, 10) == [DueJob(spec.id, NOW + 5)]
    assert await storage.expire_jobs(NOW + 10, 10) == []
    await storage.release([spec.id], NOW + 5)
    assert [one.job_id for one in await claim(storage, 5, now=NOW + 20)] == [spec.id]
    assert await state_of(storage, spec.id) == RUNNING
