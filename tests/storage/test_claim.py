"""What a claim gives, and to whom."""

from gotask.jobs.states import CANCELLED, PENDING, RUNNING
from gotask.storage.contract import Claimed, FinishStatus, Share, Slot, Storage
from tests.storage.support import LEASE, NOW, add_queue, claim, end, get, insert, job, outcome, start


async def test_a_claim_leases_the_job_and_numbers_its_attempt(storage: Storage) -> None:
    spec = job()
    await insert(storage, spec)
    (claimed,) = await claim(storage, 5, worker="wörker-1", now=NOW + 7)
    assert claimed == Claimed(spec.id, "default", spec.SerializeToString(), 1, 1, NOW)
    found = await get(storage, spec.id)
    assert (found.state, found.worker, found.started_at_us, found.attempt) == (RUNNING, "wörker-1", NOW + 7, 1)
    assert found.lease_until_us == NOW + 7 + LEASE
    assert found.ready_at_us == NOW


async def test_a_job_is_given_once(storage: Storage) -> None:
    await start(storage)
    assert await claim(storage) == []


async def test_a_claim_without_slots_or_queues_gives_nothing(storage: Storage) -> None:
    assert await storage.claim([], NOW, NOW + LEASE) == ([], [])
    slots = [Slot("w", 5, [Share("nowhere", 5)]), Slot("w", 5, [])]
    assert await storage.claim(slots, NOW, NOW + LEASE) == ([[], []], [])


async def test_every_attempt_has_a_higher_number(storage: Storage) -> None:
    claimed = await start(storage)
    for attempt in range(2, 6):
        await end(storage, claimed, PENDING, forgiven=attempt % 2 == 0)
        (claimed,) = await claim(storage)
        assert claimed.attempt == attempt
    assert (claimed.attempt, claimed.tries) == (5, 3)


async def test_a_paused_queue_gives_nothing_until_it_is_resumed(storage: Storage) -> None:
    await insert(storage, job(), job())
    (running,) = await claim(storage)
    assert await storage.set_paused("default", paused=True, now_us=NOW)
    assert await claim(storage) == []
    assert (await end(storage, running)).status is FinishStatus.APPLIED
    assert await storage.set_paused("default", paused=False, now_us=NOW)
    assert len(await claim(storage)) == 1


async def test_max_workers_bounds_what_runs_at_once(storage: Storage) -> None:
    await add_queue(storage, "narrow", max_workers=2)
    await insert(storage, *[job(queue="narrow") for _ in range(5)])
    slots = [Slot(worker, 1, [Share("narrow", 1)]) for worker in "abc"]
    claims = await storage.claim(slots, NOW, NOW + LEASE)
    assert [len(jobs) for jobs in claims.jobs] == [1, 1, 0]
    assert await claim(storage, 4, "narrow") == []
    await end(storage, claims.jobs[0][0])
    assert len(await claim(storage, 4, "narrow")) == 1


async def test_max_workers_lowered_below_what_runs_lets_it_run(storage: Storage) -> None:
    await add_queue(storage, "narrow", max_workers=3)
    await insert(storage, *[job(queue="narrow") for _ in range(4)])
    running = await claim(storage, 3, "narrow")
    (queue,) = await storage.get_queues(["narrow"])
    queue.max_workers = 1
    await storage.update_queue(queue)
    await end(storage, running[0])
    assert await claim(storage, 1, "narrow") == []
    await storage.finish([outcome(one) for one in running[1:]], NOW)
    assert len(await claim(storage, 4, "narrow")) == 1


async def test_a_job_cancelled_while_pending_is_not_given(storage: Storage) -> None:
    ids = await insert(storage, job(), job())
    await storage.cancel(ids[:1], NOW)
    assert [one.job_id for one in await claim(storage, 2)] == ids[1:]
    assert (await get(storage, ids[0])).state == CANCELLED
