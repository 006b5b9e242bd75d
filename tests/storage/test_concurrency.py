"""Many at once, each with connections of its own: nothing is given twice, and no limit is exceeded."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gotask.jobs.request import default_queue
from gotask.jobs.states import PENDING, SUCCESS
from gotask.storage.contract import FinishStatus, InsertStatus, Share, Slot, Storage
from gotask.storage.memory import MemoryStorage
from tests.storage.conftest import Backend
from tests.storage.support import LEASE, NOW, add_queue, claim, end, insert, job

CLAIMERS = 8


@pytest.fixture
async def fleet(backend: Backend, namespace: str) -> AsyncIterator[list[Storage]]:
    """As many storages as a fleet has processes, over the same data; memory has one for all."""
    first = backend(namespace)
    await first.open()
    others = [first if isinstance(first, MemoryStorage) else backend(namespace) for _ in range(CLAIMERS - 1)]
    await asyncio.gather(*(other.open() for other in others))
    await first.create_queue(default_queue("default", NOW))
    yield [first, *others]
    for storage in (first, *others):
        await storage.close()


async def test_eight_claimers_never_share_an_attempt_nor_exceed_the_limit(fleet: list[Storage]) -> None:
    await add_queue(fleet[0], "narrow", max_workers=5)
    ids = await insert(fleet[0], *[job(queue="narrow") for _ in range(120)])
    running: set[tuple[str, int]] = set()
    attempts: list[tuple[str, int]] = []
    ended: list[str] = []

    async def work(number: int, storage: Storage) -> None:
        while len(ended) < len(ids):
            claimed = await claim(storage, 2, "narrow", f"w{number}")
            running.update((one.job_id, one.attempt) for one in claimed)
            attempts.extend((one.job_id, one.attempt) for one in claimed)
            assert len(running) <= 5
            await asyncio.sleep(0)
            for one in claimed:
                # Before the storage is told: another may have the place as soon as the storage knows.
                running.discard((one.job_id, one.attempt))
                again = number % 4 == 0 and one.attempt == 1
                assert (await end(storage, one, PENDING if again else SUCCESS)).status is FinishStatus.APPLIED
                ended.extend([] if again else [one.job_id])

    await asyncio.gather(*(work(number, storage) for number, storage in enumerate(fleet)))
    assert len(set(attempts)) == len(attempts)
    assert sorted(ended) == sorted(ids)


async def test_claimers_with_many_slots_share_the_jobs_without_loss(fleet: list[Storage]) -> None:
    await add_queue(fleet[0], "mail")
    ids = await insert(fleet[0], *[job(queue=("default", "mail")[index % 2]) for index in range(400)])
    shares = [Share("mail", 2), Share("default", 3)]
    slots = [Slot(f"w{index}", 3, shares) for index in range(10)]
    rounds = await asyncio.gather(*(storage.claim(slots, NOW, NOW + LEASE) for storage in fleet * 2))
    rounds += await asyncio.gather(*(storage.claim(slots, NOW, NOW + LEASE) for storage in fleet * 2))
    given = [one.job_id for claims in rounds for jobs in claims.jobs for one in jobs]
    assert sorted(given) == sorted(ids)


async def test_of_the_same_batch_from_everybody_each_job_is_stored_once(fleet: list[Storage]) -> None:
    specs = [job(unique_key=f"k{index}" if index % 3 == 0 else "") for index in range(30)]
    answers = await asyncio.gather(*(storage.insert_jobs(specs, NOW) for storage in fleet))
    created = [one for answer in answers for one in answer if one.status is InsertStatus.CREATED]
    assert len(created) == len(specs)
    assert len(await claim(fleet[0], 99)) == len(specs)


async def test_one_key_from_everybody_has_one_holder(fleet: list[Storage]) -> None:
    specs = [job(unique_key="k", idempotency_key="i") for _ in fleet]
    answers = await asyncio.gather(
        *(storage.insert_jobs([spec], NOW) for storage, spec in zip(fleet, specs, strict=True))
    )
    holders = {spec.id for spec, (one,) in zip(specs, answers, strict=True) if one.status is InsertStatus.CREATED}
    assert len(holders) == 1
    assert {one.existing_id for (one,) in answers if one.status is InsertStatus.DUPLICATE} == holders


async def test_a_queue_that_fills_up_takes_no_more_than_its_length(fleet: list[Storage]) -> None:
    await add_queue(fleet[0], "small", max_length=20)
    answers = await asyncio.gather(
        *(storage.insert_jobs([job(queue="small") for _ in range(5)], NOW) for storage in fleet)
    )
    statuses = [one.status for answer in answers for one in answer]
    assert (statuses.count(InsertStatus.CREATED), statuses.count(InsertStatus.QUEUE_FULL)) == (20, 20)


async def test_a_rate_is_shared_by_everybody(fleet: list[Storage]) -> None:
    await add_queue(fleet[0], "slow", rate_limit=7.0)
    await insert(fleet[0], *[job(queue="slow") for _ in range(40)])
    claimed = await asyncio.gather(*(claim(storage, 5, "slow") for storage in fleet))
    assert sum(len(jobs) for jobs in claimed) == 7


async def test_one_outcome_from_everybody_is_applied_once(fleet: list[Storage]) -> None:
    await insert(fleet[0], *[job() for _ in range(10)])
    claimed = await claim(fleet[0], 10)
    answers = await asyncio.gather(*(end(storage, one) for one in claimed for storage in fleet))
    statuses = [one.status for one in answers]
    assert statuses.count(FinishStatus.APPLIED) == len(claimed)
    assert statuses.count(FinishStatus.REPEATED) == len(claimed) * (CLAIMERS - 1)


async def test_one_command_from_everybody_changes_a_job_once(fleet: list[Storage]) -> None:
    ids = await insert(fleet[0], *[job() for _ in range(6)])
    for command in ("cancel", "retry"):
        changes = await asyncio.gather(*(getattr(storage, command)(ids, NOW) for storage in fleet))
        assert sum(one.changed for changed in changes for one in changed) == len(ids)
    assert len(await claim(fleet[0], 9)) == len(ids)


async def test_everybody_may_open_and_create_at_once(backend: Backend, namespace: str) -> None:
    first = backend(namespace)
    fleet = [first, *(first if isinstance(first, MemoryStorage) else backend(namespace) for _ in range(5))]
    await first.open()
    await asyncio.gather(*(storage.open() for storage in fleet))
    created = await asyncio.gather(*(storage.create_queue(default_queue("mail", NOW)) for storage in fleet))
    assert created.count(True) == 1
    for storage in fleet:
        await storage.close()
