"""A queue is emptied of what waits in it, and of nothing else."""

from gotask.jobs.states import CANCELLED, PENDING, RUNNING, SCHEDULED
from gotask.storage.contract import Storage
from tests.storage.support import NOW, SECOND, add_queue, claim, get, insert, job, start, state_of


async def test_pending_jobs_go_first_and_no_more_than_asked_for(storage: Storage) -> None:
    later, first, second, third = await insert(storage, job(scheduled_at_us=NOW + 5), job(), job(), job())
    assert await storage.cancel_waiting("default", NOW + 1, 2) == [first, second]
    assert await storage.cancel_waiting("default", NOW + 1, 2) == [third, later]
    assert await storage.cancel_waiting("default", NOW + 1, 2) == []
    assert {await state_of(storage, job_id) for job_id in (later, first, second, third)} == {CANCELLED}
    assert (await get(storage, later)).finished_at_us == NOW + 1
    assert await storage.next_due() is None
    assert await claim(storage, 9) == []


async def test_running_jobs_and_other_queues_stay(storage: Storage) -> None:
    running = await start(storage)
    await add_queue(storage, "mail")
    mail, waiting = await insert(storage, job(queue="mail"), job())
    assert await storage.cancel_waiting("default", NOW, 100) == [waiting]
    assert (await get(storage, running.job_id)).state == RUNNING
    assert not (await get(storage, running.job_id)).cancel_requested
    assert await state_of(storage, mail) == PENDING
    assert await storage.cancel_waiting("nowhere", NOW, 100) == []


async def test_what_was_purged_neither_expires_nor_holds_its_key_nor_fills_the_queue(storage: Storage) -> None:
    await add_queue(storage, "small", max_length=2)
    fields = {"queue": "small", "unique_key": "one", "expires_at_us": NOW + SECOND}
    await insert(storage, job(**fields, scheduled_at_us=NOW + 9), job(queue="small"))
    assert len(await storage.cancel_waiting("small", NOW, 100)) == 2
    (again,) = await insert(storage, job(**fields, scheduled_at_us=NOW + 9))
    assert await state_of(storage, again) == SCHEDULED
    assert [one.job_id for one in await storage.expire_jobs(NOW + SECOND, 9)] == [again]
    (stats,) = await storage.queue_stats(["small"], NOW)
    assert (stats.pending, stats.scheduled, stats.retrying) == (0, 0, 0)


async def test_thousands_are_purged_in_pieces(storage: Storage) -> None:
    ids = await insert(storage, *[job() for _ in range(3_000)])
    purged: list[str] = []
    while piece := await storage.cancel_waiting("default", NOW, 1_700):
        purged += piece
    assert purged == ids
