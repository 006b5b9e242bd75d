"""Insert, claim, finish: the way that every job goes."""

import asyncio

import pytest

from gotask.jobs.ids import new_id
from gotask.jobs.states import CANCELLED, DEAD, EXPIRED, FAILED, PENDING, RETRYING, RUNNING, SCHEDULED, SUCCESS
from gotask.storage.contract import FinishStatus, InsertStatus, Lease, LeaseStatus, Share, Slot, Storage
from tests.storage.support import LEASE, NOW, SECOND, add_queue, claim, end, insert, job, state_of


async def test_a_job_comes_back_as_it_was_inserted(storage: Storage) -> None:
    spec = job(payload=b'{"a":1}', tags=["x"], metadata={"k": "v"}, timeout_us=5)
    (inserted,) = await storage.insert_jobs([spec], NOW)
    assert inserted == (InsertStatus.CREATED, PENDING, "")
    (found,) = await storage.get_jobs([spec.id])
    assert found is not None
    assert found.spec == spec
    assert (found.state, found.ready_at_us) == (PENDING, NOW)


async def test_a_second_insert_of_an_id_is_a_duplicate_within_a_batch_too(storage: Storage) -> None:
    spec = job()
    first, second = await storage.insert_jobs([spec, spec], NOW)
    (third,) = await storage.insert_jobs([spec], NOW)
    assert first.status is InsertStatus.CREATED
    assert second == third == (InsertStatus.DUPLICATE, 0, spec.id)
    assert len(await claim(storage, 10)) == 1


async def test_a_batch_has_one_answer_per_job(storage: Storage) -> None:
    await add_queue(storage, "small", max_length=1)
    specs = [job(), job(queue="nowhere"), job(queue="small"), job(queue="small"), job(scheduled_at_us=NOW + 1)]
    answers = await storage.insert_jobs(specs, NOW)
    assert [(answer.status, answer.state) for answer in answers] == [
        (InsertStatus.CREATED, PENDING),
        (InsertStatus.QUEUE_UNKNOWN, 0),
        (InsertStatus.CREATED, PENDING),
        (InsertStatus.QUEUE_FULL, 0),
        (InsertStatus.CREATED, SCHEDULED),
    ]


async def test_higher_priority_first_and_equal_ones_in_order_of_arrival(storage: Storage) -> None:
    specs = [job(priority=priority) for _ in range(8) for priority in (0, 1, 7, 254, 255)]
    for begin in range(0, len(specs), 7):
        await insert(storage, *specs[begin : begin + 7])
    expected = sorted(specs, key=lambda spec: -spec.priority)
    claimed = [one for _ in range(4) for one in await claim(storage, 10)]
    assert [one.job_id for one in claimed] == [spec.id for spec in expected]


async def test_thousands_in_one_batch_keep_their_order(storage: Storage) -> None:
    ids = await insert(storage, *[job() for _ in range(5_000)])
    assert [one.job_id for one in await claim(storage, 5_000)] == ids


async def test_a_claim_leases_the_job_and_numbers_its_attempt(storage: Storage) -> None:
    spec = job()
    await insert(storage, spec)
    (claimed,) = await claim(storage, 5, worker="w1", now=NOW + 7)
    assert (claimed.job_id, claimed.queue, claimed.attempt, claimed.tries) == (spec.id, "default", 1, 1)
    assert claimed.spec == spec.SerializeToString()
    assert claimed.ready_at_us == NOW
    (found,) = await storage.get_jobs([spec.id])
    assert found is not None
    assert (found.state, found.worker, found.started_at_us) == (RUNNING, "w1", NOW + 7)
    assert found.lease_until_us == NOW + 7 + LEASE
    assert await claim(storage) == []


async def test_slots_are_filled_in_order_from_their_shares_in_order(storage: Storage) -> None:
    await add_queue(storage, "mail")
    mail = await insert(storage, *[job(queue="mail") for _ in range(3)])
    default = await insert(storage, *[job() for _ in range(3)])
    slots = [
        Slot("a", 3, [Share("mail", 2), Share("default", 3)]),
        Slot("b", 9, [Share("default", 1), Share("mail", 9), Share("default", 9), Share("nowhere", 9)]),
    ]
    first, second = (await storage.claim(slots, NOW, NOW + LEASE)).jobs
    assert [one.job_id for one in first] == [mail[0], mail[1], default[0]]
    assert [one.job_id for one in second] == [default[1], mail[2], default[2]]


async def test_a_success_keeps_result_and_history(storage: Storage) -> None:
    await insert(storage, job())
    (claimed,) = await claim(storage)
    assert await end(storage, claimed, result=b"84") == (FinishStatus.APPLIED, SUCCESS)
    (found,) = await storage.get_jobs([claimed.job_id])
    assert found is not None
    assert (found.state, found.result, found.finished_at_us) == (SUCCESS, b"84", NOW + SECOND)
    assert [attempt.attempt for attempt in found.history.attempts] == [1]


async def test_a_repeated_outcome_says_so_and_changes_nothing(storage: Storage) -> None:
    await insert(storage, job())
    (claimed,) = await claim(storage)
    await end(storage, claimed, result=b"1")
    assert await end(storage, claimed, result=b"2") == (FinishStatus.REPEATED, SUCCESS)
    (found,) = await storage.get_jobs([claimed.job_id])
    assert found is not None
    assert (found.result, len(found.history.attempts)) == (b"1", 1)


async def test_outcomes_of_attempts_that_lost_the_lease_are_stale(storage: Storage) -> None:
    await insert(storage, job())
    (first,) = await claim(storage)
    await end(storage, first, PENDING)
    (second,) = await claim(storage)
    assert second.attempt == 2
    assert (await end(storage, first)).status is FinishStatus.STALE
    assert await state_of(storage, first.job_id) == RUNNING
    assert (await end(storage, first._replace(job_id=new_id()))).status is FinishStatus.STALE


async def test_one_batch_of_outcomes_may_go_every_way(storage: Storage) -> None:
    states = [SUCCESS, RETRYING, PENDING, FAILED, DEAD, CANCELLED]
    await insert(storage, *[job() for _ in states])
    for claimed, state in zip(await claim(storage, 6), states, strict=True):
        assert await end(storage, claimed, state, due_at_us=NOW + 5 * SECOND) == (FinishStatus.APPLIED, state)
        assert await state_of(storage, claimed.job_id) == state


async def test_a_job_handed_back_keeps_its_place_and_its_tries(storage: Storage) -> None:
    ids = await insert(storage, job(), job(), job())
    first, second = await claim(storage, 2)
    await end(storage, second, PENDING, forgiven=True)
    await end(storage, first, PENDING, forgiven=True)
    again = await claim(storage, 3)
    assert [one.job_id for one in again] == ids
    assert [(one.attempt, one.tries) for one in again] == [(2, 1), (2, 1), (1, 1)]


async def test_a_retrying_job_waits_until_it_is_due(storage: Storage) -> None:
    await insert(storage, job())
    (claimed,) = await claim(storage)
    due = NOW + 60 * SECOND
    await end(storage, claimed, RETRYING, due_at_us=due)
    assert await storage.next_due() == due
    assert await storage.due_jobs(due - 1, 10) == []
    assert [one.job_id for one in await storage.due_jobs(due, 10)] == [claimed.job_id]
    (early,) = await storage.release([claimed.job_id], due - 1)
    assert (early.changed, early.state) == (False, RETRYING)
    (released,) = await storage.release([claimed.job_id], due)
    assert (released.changed, released.state, released.queue) == (True, PENDING, "default")
    (again,) = await storage.release([claimed.job_id], due)
    assert (again.changed, again.state) == (False, PENDING)
    assert await storage.next_due() is None
    (second,) = await claim(storage, now=due)
    assert (second.attempt, second.tries, second.ready_at_us) == (2, 2, due)


async def test_due_jobs_come_earliest_first(storage: Storage) -> None:
    late, early = await insert(storage, job(scheduled_at_us=NOW + 20), job(scheduled_at_us=NOW + 10))
    assert [one.job_id for one in await storage.due_jobs(NOW + 20, 10)] == [early, late]
    assert [one.job_id for one in await storage.due_jobs(NOW + 20, 1)] == [early]


async def test_leases_are_extended_lost_and_found_over(storage: Storage) -> None:
    await insert(storage, job(), job())
    kept, silent = await claim(storage, 2, worker="w1")
    statuses = await storage.extend_leases(
        [Lease(kept.job_id, "default", 1), Lease(silent.job_id, "default", 2), Lease(new_id(), "default", 1)],
        [NOW + 2 * LEASE] * 3,
    )
    assert statuses == [LeaseStatus.EXTENDED, LeaseStatus.LOST, LeaseStatus.LOST]
    assert await storage.expired_leases(NOW + LEASE - 1, 10) == []
    assert await storage.expired_leases(NOW + LEASE, 10) == [(silent.job_id, "default", 1, "w1")]
    assert len(await storage.expired_leases(NOW + 3 * LEASE, 1)) == 1


async def test_eight_claimers_never_share_an_attempt_nor_exceed_the_limit(storage: Storage) -> None:
    await add_queue(storage, "narrow", max_workers=5)
    await insert(storage, *[job(queue="narrow") for _ in range(60)])
    running: set[str] = set()
    done: list[str] = []

    async def work(name: str) -> None:
        while len(done) < 60:
            for claimed in await claim(storage, 2, "narrow", name):
                assert claimed.job_id not in running
                running.add(claimed.job_id)
                assert len(running) <= 5
                await storage.ping()
                running.remove(claimed.job_id)
                await end(storage, claimed)
                done.append(claimed.job_id)

    await asyncio.gather(*(work(f"w{index}") for index in range(8)))
    assert len(set(done)) == len(done) == 60


@pytest.mark.parametrize("late", [False, True])
async def test_a_job_past_its_time_to_live_never_starts(storage: Storage, late: bool) -> None:
    expiring, other = await insert(storage, job(expires_at_us=NOW + 10), job())
    claims = await storage.claim([Slot("w", 5, [Share("default", 5)])], NOW + 10 * late, NOW + LEASE)
    started = [one.job_id for one in claims.jobs[0]]
    assert started == ([other] if late else [expiring, other])
    assert [one.job_id for one in claims.expired] == ([expiring] if late else [])


async def test_waiting_jobs_expire_without_a_claim(storage: Storage) -> None:
    soon, later = await insert(storage, job(expires_at_us=NOW + 10), job(expires_at_us=NOW + 20))
    assert await storage.expire_jobs(NOW + 9, 10) == []
    assert await storage.expire_jobs(NOW + 10, 10) == [(soon, "default")]
    assert await state_of(storage, soon) == EXPIRED
    assert [one.job_id for one in await claim(storage, 5, now=NOW + 11)] == [later]
