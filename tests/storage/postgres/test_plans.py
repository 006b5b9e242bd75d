"""Plans do not depend on statistics, which were gathered when the tables were empty, or never."""

from typing import Any

import pytest

from gotask.jobs.ids import IdMaker
from gotask.jobs.states import PENDING
from gotask.storage.contract import JobFilter, Lease, ProgressUpdate
from gotask.storage.postgres import PostgresStorage
from tests.storage.support import LEASE, NOW, claim, insert, job, outcome
from tests.support.waiting import wait_until

JOBS = 600
TABLES = ("specs", "line", "running", "delayed", "ended", "attempts", "unique_keys")
_READ = """
    SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::bigint FROM pg_stat_user_tables
    WHERE schemaname = current_schema() AND relname = ANY($1)
"""
_FLUSHED = "SELECT n_tup_ins FROM pg_stat_user_tables WHERE schemaname = current_schema() AND relname = 'specs'"


@pytest.mark.parametrize("analyzed", [True, False])
async def test_no_call_reads_a_table_for_each_of_its_jobs(
    storage: PostgresStorage, connection: Any, analyzed: bool
) -> None:
    await connection.execute("SELECT pg_stat_reset()")
    if analyzed:
        for table in TABLES:
            await connection.execute(f"VACUUM ANALYZE {table}")
    maker = IdMaker()
    ids = [maker.make(NOW + number) for number in range(JOBS)]
    await insert(storage, *[job(id=job_id, unique_key=job_id, idempotency_key=job_id) for job_id in ids[:50]])
    await insert(storage, *[job(id=job_id) for job_id in ids[50:]])
    await insert(storage, *[job(id=job_id) for job_id in ids])
    running = await claim(storage, JOBS)
    leases = [Lease(one.job_id, "", 1) for one in running]
    await storage.extend_leases(leases, [NOW + LEASE] * JOBS)
    await storage.set_progress([ProgressUpdate(one.job_id, 1, b"") for one in running])
    await storage.get_jobs(ids)
    await storage.finish([outcome(one, PENDING) for one in running[:100]], NOW)
    await storage.finish([outcome(one) for one in running], NOW)
    await storage.finish([outcome(one) for one in running], NOW)
    await storage.list_jobs(JobFilter(queue="default"), "", JOBS)
    await storage.prune(NOW + 10**15, JOBS)

    async def flushed() -> bool:
        return bool((await connection.fetchval(_FLUSHED) or 0) >= JOBS)

    # A server tells of a session when it ends, or a second later.
    await storage.close()
    await wait_until(flushed, "the server's figures are there")
    assert await connection.fetchval(_READ, list(TABLES)) < 100 * JOBS
