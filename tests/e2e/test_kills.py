"""kill -9 of any one part while thousands of jobs are under way: nothing is lost, and nothing is stuck."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gotask import v1
from gotask.jobs.states import SUCCESS
from gotask.storage.contract import Storage
from gotask.storage.postgres import PostgresAddress, PostgresStorage
from gotask.storage.redis.backend import RedisStorage
from tests.e2e.conftest import WORKER
from tests.support.servers import ServerProcess
from tests.support.stack import SERVICES, Stack
from tests.support.waiting import wait_until

JOBS = 20_000
_BATCH = 500


class Submitter:
    """Submits batches until all are accepted, as a client with patience does; remembers what was answered."""

    def __init__(self, stack: Stack, name: str) -> None:
        self.accepted: set[str] = set()
        self._name = name
        self._stack = stack
        self._lock = threading.Lock()
        self.half = threading.Event()

    def run(self) -> None:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._submit, range(JOBS // _BATCH)))

    def _submit(self, batch: int) -> None:
        jobs = [
            {
                "type": "echo",
                "payload": {"n": n},
                "retry_delay": "100ms",
                "idempotency_key": f"{self._name}-{batch}-{n}",
            }
            for n in range(_BATCH)
        ]
        while jobs:
            status, body = self._stack.post("/jobs/batch", {"jobs": jobs})
            if status != 200:
                continue
            items = body["items"]
            done = {index for index, item in enumerate(items) if item["status"] in (200, 201, 202)}
            with self._lock:
                self.accepted |= {items[index]["job"]["id"] for index in done}
                if len(self.accepted) >= JOBS // 4:
                    self.half.set()
            jobs = [job for index, job in enumerate(jobs) if index not in done]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("victim", ["nats", "valkey", *SERVICES])
async def test_every_accepted_job_ends_though_one_part_is_killed(stack: Stack, victim: str) -> None:
    storage = RedisStorage(stack.valkey.address, "gotask")
    await _check_that_all_end(stack, storage, lambda: stack.restart(victim), victim)


@pytest.mark.timeout(240)
async def test_every_accepted_job_ends_though_postgres_is_killed(own_postgres: ServerProcess, tmp_path: Path) -> None:
    stack = Stack(tmp_path, WORKER, {"GOTASK_STORAGE": "postgres", "GOTASK_POSTGRES_DSN": own_postgres.address})
    try:
        await asyncio.to_thread(stack.start)
        storage = PostgresStorage(PostgresAddress(own_postgres.address), "gotask")
        await _check_that_all_end(stack, storage, own_postgres.restart, "postgres")
    finally:
        stack.kill()


async def _check_that_all_end(stack: Stack, storage: Storage, kill: Callable[[], None], name: str) -> None:
    """*kill* happens in the middle; *name* tells these jobs from those of other tests."""
    submitter = Submitter(stack, name)
    submitting = asyncio.create_task(asyncio.to_thread(submitter.run))
    await asyncio.to_thread(submitter.half.wait, 60)
    await asyncio.to_thread(kill)
    await submitting
    assert len(submitter.accepted) >= JOBS
    ids = sorted(submitter.accepted)

    async def all_succeeded() -> bool:
        (stats,) = await storage.queue_stats(["default"], 0)
        if stats.pending or stats.running or stats.retrying:
            return False
        states = Counter([job.state for job in await _jobs(storage, ids) if job is not None])
        return states[SUCCESS] == len(ids)

    await wait_until(all_succeeded, f"all {len(ids)} jobs ended in success", 120)
    for job in await _jobs(storage, ids):
        assert job is not None
        ends = [attempt.outcome for attempt in job.history.attempts]
        assert ends.count(v1.OUTCOME_SUCCESS) == 1
        assert ends[-1] == v1.OUTCOME_SUCCESS
        assert job.history.attempts[-1].attempt == job.attempt
    await storage.close()


async def _jobs(storage: Storage, ids: list[str]) -> list[v1.Job | None]:
    found: list[v1.Job | None] = []
    for begin in range(0, len(ids), 1_000):
        found += await storage.get_jobs(ids[begin : begin + 1_000])
    return found
