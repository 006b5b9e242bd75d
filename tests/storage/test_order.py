"""Which job is next."""

import random

from gotask.jobs.states import DEAD, PENDING, RETRYING
from gotask.storage.contract import Share, Slot, Storage
from tests.storage.support import LEASE, NOW, SECOND, add_queue, claim, end, insert, job


async def _claimed_ids(storage: Storage, capacity: int, now: int = NOW) -> list[str]:
    return [one.job_id for one in await claim(storage, capacity, now=now)]


async def test_thousands_of_equal_priority_keep_the_order_of_arrival(storage: Storage) -> None:
    specs = [job() for _ in range(4_000)]
    random.Random(7).shuffle(specs)
    for first in range(0, len(specs), 1_500):
        await insert(storage, *specs[first : first + 1_500], now=NOW - first)
    assert await _claimed_ids(storage, 4_000) == [spec.id for spec in specs]


async def test_every_priority_comes_before_all_lower_ones(storage: Storage) -> None:
    specs = [job(priority=priority) for priority in range(256) for _ in range(8)]
    random.Random(8).shuffle(specs)
    for first in range(0, len(specs), 300):
        await insert(storage, *specs[first : first + 300])
    expected = sorted(specs, key=lambda spec: -spec.priority)
    claimed = [job_id for _ in range(8) for job_id in await _claimed_ids(storage, 256)]
    assert claimed == [spec.id for spec in expected]


async def test_a_later_urgent_job_overtakes(storage: Storage) -> None:
    (patient,) = await insert(storage, job(priority=1))
    (urgent,) = await insert(storage, job(priority=2))
    assert await _claimed_ids(storage, 2) == [urgent, patient]


async def test_slots_are_filled_in_order_from_their_shares_in_order(storage: Storage) -> None:
    await add_queue(storage, "mail")
    mail = await insert(storage, *[job(queue="mail") for _ in range(3)])
    default = await insert(storage, *[job() for _ in range(3)])
    slots = [
        Slot("a", 3, [Share("mail", 2), Share("default", 3)]),
        Slot("b", 9, [Share("default", 1), Share("mail", 9), Share("default", 9), Share("nowhere", 9)]),
        Slot("c", 9, [Share("mail", 9), Share("default", 9)]),
    ]
    jobs = (await storage.claim(slots, NOW, NOW + LEASE)).jobs
    assert [[one.job_id for one in claimed] for claimed in jobs] == [
        [mail[0], mail[1], default[0]],
        [default[1], mail[2], default[2]],
        [],
    ]
    assert [one.queue for one in jobs[0]] == ["mail", "mail", "default"]


async def test_a_slot_takes_no_more_than_its_capacity_and_its_limits(storage: Storage) -> None:
    await insert(storage, *[job() for _ in range(9)])
    slots = [
        Slot("a", 2, [Share("default", 5)]),
        Slot("b", 5, [Share("default", 1)]),
        Slot("c", 0, [Share("default", 5)]),
        Slot("d", 5, [Share("default", 0)]),
        Slot("e", 5, []),
    ]
    claims = await storage.claim(slots, NOW, NOW + LEASE)
    assert [len(jobs) for jobs in claims.jobs] == [2, 1, 0, 0, 0]


async def test_a_job_handed_back_keeps_its_place(storage: Storage) -> None:
    ids = await insert(storage, *[job() for _ in range(4)])
    first, second, third = await claim(storage, 3)
    await end(storage, third, PENDING, forgiven=True)
    await end(storage, first, PENDING, forgiven=True)
    assert await _claimed_ids(storage, 4) == [ids[0], ids[2], ids[3]]
    await end(storage, second, PENDING)
    assert await _claimed_ids(storage, 4) == [ids[1]]


async def test_a_job_keeps_its_place_however_often_it_is_handed_back(storage: Storage) -> None:
    ids = await insert(storage, job(), job())
    for _ in range(3):
        claimed = await claim(storage)
        assert claimed[0].job_id == ids[0]
        await end(storage, claimed[0], PENDING)
    assert await _claimed_ids(storage, 2) == ids


async def test_released_and_retried_jobs_go_to_the_end_of_the_line(storage: Storage) -> None:
    ids = await insert(storage, job(scheduled_at_us=NOW + 1), *[job() for _ in range(3)])
    retrying, dead = await claim(storage, 2)
    await end(storage, retrying, RETRYING, due_at_us=NOW + SECOND)
    await end(storage, dead, DEAD)
    later = NOW + SECOND
    await storage.retry([dead.job_id], later)
    await storage.release([retrying.job_id, ids[0]], later)
    assert await _claimed_ids(storage, 9, now=later) == [ids[3], dead.job_id, retrying.job_id, ids[0]]


async def test_a_released_job_still_goes_before_lower_priorities(storage: Storage) -> None:
    (later,) = await insert(storage, job(priority=5, scheduled_at_us=NOW + 1))
    (waiting,) = await insert(storage, job(priority=4))
    await storage.release([later], NOW + 1)
    assert await _claimed_ids(storage, 2) == [later, waiting]
