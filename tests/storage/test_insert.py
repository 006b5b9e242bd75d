"""Inserting jobs."""

from gotask.jobs.states import PENDING, SCHEDULED
from gotask.storage.contract import InsertStatus, Storage
from tests.storage.support import NOW, SECOND, add_queue, claim, get, insert, job, listed

CREATED, DUPLICATE = InsertStatus.CREATED, InsertStatus.DUPLICATE


async def test_a_job_comes_back_as_it_was_inserted(storage: Storage) -> None:
    spec = job(payload=b'{"a":1}', tags=["x"], metadata={"k": "v"}, timeout_us=5, traceparent="00-1", priority=0)
    assert await storage.insert_jobs([spec], NOW) == [(CREATED, PENDING, "")]
    found = await get(storage, spec.id)
    assert found.spec == spec
    assert (found.state, found.ready_at_us, found.attempt, found.due_at_us) == (PENDING, NOW, 0, 0)


async def test_a_stored_job_does_not_follow_its_submitters_object(storage: Storage) -> None:
    spec = job()
    await insert(storage, spec)
    spec.type = "other"
    found = await get(storage, spec.id)
    found.spec.type = "third"
    assert (await get(storage, spec.id)).spec.type == "echo"


async def test_a_payload_of_the_largest_size_is_kept(storage: Storage) -> None:
    spec = job(payload=b'"' + b"x" * (256 * 1024 - 2) + b'"')
    await insert(storage, spec)
    assert (await claim(storage))[0].spec == spec.SerializeToString()


async def test_a_job_for_later_is_scheduled(storage: Storage) -> None:
    later, now = job(scheduled_at_us=NOW + 1), job(scheduled_at_us=NOW)
    assert [one.state for one in await storage.insert_jobs([later, now], NOW)] == [SCHEDULED, PENDING]
    found = await get(storage, later.id)
    assert (found.state, found.due_at_us, found.ready_at_us) == (SCHEDULED, NOW + 1, 0)


async def test_an_empty_batch_has_no_answers(storage: Storage) -> None:
    assert await storage.insert_jobs([], NOW) == []


async def test_an_id_that_is_stored_is_a_duplicate_whatever_else_it_says(storage: Storage) -> None:
    spec = job()
    await insert(storage, spec)
    again = job(id=spec.id, queue="nowhere", type="other", scheduled_at_us=NOW + SECOND)
    assert await storage.insert_jobs([again], NOW) == [(DUPLICATE, 0, spec.id)]
    assert (await get(storage, spec.id)).spec == spec


async def test_an_id_twice_in_a_batch_is_stored_once(storage: Storage) -> None:
    spec, other = job(), job()
    answers = await storage.insert_jobs([spec, other, spec], NOW)
    assert [one.status for one in answers] == [CREATED, CREATED, DUPLICATE]
    assert answers[2].existing_id == spec.id
    assert [one.job_id for one in await claim(storage, 10)] == [spec.id, other.id]


async def test_a_repeated_batch_changes_nothing(storage: Storage) -> None:
    specs = [job(), job(scheduled_at_us=NOW + SECOND), job()]
    await insert(storage, *specs)
    claimed = await claim(storage)
    assert [one.status for one in await storage.insert_jobs(specs, NOW)] == [DUPLICATE] * 3
    assert [one.job_id for one in [*claimed, *await claim(storage, 5)]] == [specs[0].id, specs[2].id]


async def test_new_jobs_among_repeated_ones_are_stored(storage: Storage) -> None:
    old, new = job(), job()
    await insert(storage, old)
    answers = await storage.insert_jobs([old, new, old], NOW)
    assert [one.status for one in answers] == [DUPLICATE, CREATED, DUPLICATE]


async def test_a_queue_that_does_not_exist_stores_nothing(storage: Storage) -> None:
    spec = job(queue="nowhere")
    assert await storage.insert_jobs([spec], NOW) == [(InsertStatus.QUEUE_UNKNOWN, 0, "")]
    assert await storage.get_jobs([spec.id]) == [None]
    assert await listed(storage) == []


async def test_a_refused_id_may_come_again_for_another_queue_in_the_same_batch(storage: Storage) -> None:
    spec = job(queue="nowhere")
    answers = await storage.insert_jobs([spec, job(id=spec.id), spec], NOW)
    assert [one.status for one in answers] == [InsertStatus.QUEUE_UNKNOWN, CREATED, DUPLICATE]
    assert await listed(storage) == [spec.id]


async def test_a_mixed_batch_has_one_answer_per_job_in_its_order(storage: Storage) -> None:
    await add_queue(storage, "small", max_length=1)
    known = job()
    await insert(storage, known)
    specs = [
        job(queue="small"),
        job(queue="nowhere"),
        job(scheduled_at_us=NOW + 1),
        job(queue="small"),
        known,
        job(unique_key="u"),
        job(unique_key="u", queue="nowhere"),
        job(expires_at_us=NOW + 5),
    ]
    answers = await storage.insert_jobs(specs, NOW)
    assert answers == [
        (CREATED, PENDING, ""),
        (InsertStatus.QUEUE_UNKNOWN, 0, ""),
        (CREATED, SCHEDULED, ""),
        (InsertStatus.QUEUE_FULL, 0, ""),
        (DUPLICATE, 0, known.id),
        (CREATED, PENDING, ""),
        (DUPLICATE, 0, specs[5].id),
        (CREATED, PENDING, ""),
    ]


async def test_a_batch_over_many_queues_is_answered_in_its_order(storage: Storage) -> None:
    for name in ("a", "b"):
        await add_queue(storage, name)
    queues = ["b", "nowhere", "a", "b", "a", "nowhere"]
    answers = await storage.insert_jobs([job(queue=queue) for queue in queues], NOW)
    assert [one.status for one in answers] == [
        InsertStatus.QUEUE_UNKNOWN if queue == "nowhere" else CREATED for queue in queues
    ]
