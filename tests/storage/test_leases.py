"""Leases: extended, lost, over."""

from gotask.jobs.states import PENDING, RUNNING
from gotask.storage.contract import ExpiredLease, Lease, LeaseStatus, Storage
from tests.storage.support import LEASE, NOW, add_queue, claim, end, get, insert, job, new_id, start


def _lease(job_id: str, attempt: int = 1) -> Lease:
    return Lease(job_id, "default", attempt)


async def test_only_the_attempt_that_runs_can_extend_its_lease(storage: Storage) -> None:
    claimed = await start(storage)
    (pending,) = await insert(storage, job())
    leases = [_lease(claimed.job_id), _lease(claimed.job_id, 2), _lease(new_id()), _lease(pending, 0)]
    statuses = await storage.extend_leases(leases, [NOW + 2 * LEASE] * 4)
    assert statuses == [LeaseStatus.EXTENDED, LeaseStatus.LOST, LeaseStatus.LOST, LeaseStatus.LOST]
    assert (await get(storage, claimed.job_id)).lease_until_us == NOW + 2 * LEASE


async def test_a_lease_is_lost_when_the_attempt_has_ended(storage: Storage) -> None:
    claimed = await start(storage)
    await end(storage, claimed, PENDING)
    assert await storage.extend_leases([_lease(claimed.job_id)], [NOW + LEASE]) == [LeaseStatus.LOST]
    await claim(storage)
    assert await storage.extend_leases([_lease(claimed.job_id)], [NOW + LEASE]) == [LeaseStatus.LOST]


async def test_whoever_extends_a_lease_hears_that_the_job_is_to_be_cancelled(storage: Storage) -> None:
    claimed = await start(storage)
    await storage.cancel([claimed.job_id], NOW)
    statuses = await storage.extend_leases([_lease(claimed.job_id)], [NOW + 5 * LEASE])
    assert statuses == [LeaseStatus.CANCEL_REQUESTED]
    assert (await get(storage, claimed.job_id)).lease_until_us == NOW + 5 * LEASE


async def test_leases_that_are_over_are_found_longest_first_over_all_queues(storage: Storage) -> None:
    await add_queue(storage, "mail")
    await insert(storage, job(), job(), job(queue="mail"))
    first, second = await claim(storage, 2, worker="w1")
    (mail,) = await claim(storage, 1, "mail", "w2", lease=LEASE - 5)
    await storage.extend_leases([_lease(first.job_id)], [NOW + LEASE + 5])
    over = [
        ExpiredLease(mail.job_id, "mail", 1, "w2"),
        ExpiredLease(second.job_id, "default", 1, "w1"),
        ExpiredLease(first.job_id, "default", 1, "w1"),
    ]
    assert await storage.expired_leases(NOW + LEASE - 6, 10) == []
    assert await storage.expired_leases(NOW + LEASE, 10) == over[:2]
    assert await storage.expired_leases(NOW + LEASE + 5, 10) == over
    assert await storage.expired_leases(NOW + LEASE + 5, 2) == over[:2]
    assert (await get(storage, mail.job_id)).state == RUNNING


async def test_a_lease_may_be_extended_many_times(storage: Storage) -> None:
    claimed = await start(storage)
    for beat in range(1, 50):
        await storage.extend_leases([_lease(claimed.job_id)], [NOW + beat])
    assert await storage.expired_leases(NOW + 48, 10) == []
    assert len(await storage.expired_leases(NOW + 49, 10)) == 1


async def test_nothing_to_extend_has_no_answers(storage: Storage) -> None:
    assert await storage.extend_leases([], []) == []
