"""Places in line that are passed over: only those where no job can ever be."""

import asyncio
from typing import Any

import pytest

from gotask import v1
from gotask.jobs.states import PENDING
from gotask.storage.contract import Share, Slot
from gotask.storage.postgres import PostgresStorage, claiming, insertion
from tests.storage.support import LEASE, NOW, claim, end, insert, job

ROUNDS = 3
"""Of housekeeping: a gap is chosen in one, grown in a later one."""


async def _raise_gaps(storage: PostgresStorage) -> None:
    for _ in range(ROUNDS):
        await storage.expire_jobs(NOW, 10)


async def _run(storage: PostgresStorage, jobs: int, **fields: Any) -> None:
    await insert(storage, *[job(**fields) for _ in range(jobs)])
    for claimed in await claim(storage, jobs):
        await end(storage, claimed)


async def _call(connection: Any, function: str, arguments: list[Any]) -> list[Any]:
    parameters = ", ".join(f"${number}" for number in range(1, len(arguments) + 1))
    return list(await connection.fetch(f"SELECT * FROM {function}({parameters})", *arguments))


@pytest.mark.parametrize("priority", [1, 255])
async def test_a_long_query_of_somebody_does_not_make_claims_look_at_what_is_gone(
    storage: PostgresStorage, connection: Any, reader: Any, priority: int
) -> None:
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.fetch("SELECT FROM queues")
        await _run(storage, 3_000, priority=priority)
        await insert(storage, job())
        before = await _buffers(reader)
        await _raise_gaps(storage)
        assert await _buffers(reader) < before / 3
    assert len(await claim(storage)) == 1


async def _buffers(connection: Any) -> int:
    """Pages that a look at the next in line reads."""
    queue = await connection.fetchval("SELECT id FROM queues")
    rows = await connection.fetch(f"""
        EXPLAIN (ANALYZE, BUFFERS, TIMING off, COSTS off, SUMMARY off)
        SELECT FROM stretches({queue}) AS s CROSS JOIN LATERAL (
            SELECT FROM line WHERE queue_id = {queue} AND place >= s.since AND place < s.until
            ORDER BY place LIMIT 1
        ) AS l LIMIT 1
    """)
    return int(next(row[0] for row in rows if "shared hit=" in row[0]).split("shared hit=")[1].split()[0])


async def test_a_job_whose_insertion_was_under_way_is_not_passed_over(
    storage: PostgresStorage, connection: Any
) -> None:
    late = job()
    transaction = connection.transaction()
    await transaction.start()
    assert await _call(connection, "insert_jobs", insertion.arguments([late], NOW)) == []
    await _run(storage, 5)
    await _raise_gaps(storage)
    await transaction.commit()
    await insert(storage, job())
    assert [one.job_id for one in await claim(storage)] == [late.id]


async def test_a_job_whose_claim_is_undone_is_not_passed_over(storage: PostgresStorage, connection: Any) -> None:
    await _run(storage, 1)
    (first,) = await insert(storage, job())
    transaction = connection.transaction()
    await transaction.start()
    _, arguments = claiming.arguments([Slot("w", 1, [Share("default", 1)])], NOW, NOW + LEASE)
    assert len(await _call(connection, "claim_jobs", arguments)) == 1
    await _run(storage, 5)
    await _raise_gaps(storage)
    await transaction.rollback()
    await insert(storage, job())
    assert [one.job_id for one in await claim(storage)] == [first]


async def test_a_job_that_is_handed_back_is_the_next_again(storage: PostgresStorage) -> None:
    (first,) = await insert(storage, job())
    (claimed,) = await claim(storage)
    await _run(storage, 5)
    await _raise_gaps(storage)
    await insert(storage, job())
    await end(storage, claimed, PENDING)
    assert [one.job_id for one in await claim(storage)] == [first]


async def test_a_job_that_is_handed_back_meanwhile_is_the_next_again(storage: PostgresStorage, connection: Any) -> None:
    (first,) = await insert(storage, job())
    (claimed,) = await claim(storage)
    await _run(storage, 5)
    await _raise_gaps(storage)
    transaction = connection.transaction()
    await transaction.start()
    await _call(
        connection,
        "finish_jobs",
        [NOW, False, [first], [claimed.attempt], [int(PENDING)], [b""], None, [0], None, None, None],
    )
    await _run(storage, 5)
    await asyncio.wait_for(_raise_gaps(storage), 5)
    await transaction.commit()
    await _raise_gaps(storage)
    await insert(storage, job())
    assert [one.job_id for one in await claim(storage)] == [first]


async def test_every_priority_has_a_gap_of_its_own(storage: PostgresStorage) -> None:
    for priority in (9, 1, 5):
        await _run(storage, 5, priority=priority)
        await _raise_gaps(storage)
    specs: list[v1.JobSpec] = [job(priority=priority) for priority in (0, 1, 3, 5, 7, 9, 255)]
    await insert(storage, *specs)
    await _raise_gaps(storage)
    assert [one.job_id for one in await claim(storage, 9)] == [spec.id for spec in reversed(specs)]
