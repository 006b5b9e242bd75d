"""Jobs that keep coming, as from a client with patience; and what became of them."""

import asyncio
import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from gotask import v1
from gotask.jobs.states import SUCCESS
from gotask.storage.contract import Storage, StorageUnavailable
from tests.cluster.fleet import Services
from tests.support.stack import http
from tests.support.waiting import wait_until

_BATCH = 20
_PAUSE_S = 0.05
_PAGE = 1_000
_keys = itertools.count()


class Load:
    """Submits a small batch twenty times a second, and repeats what was not accepted under the same keys."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._over = threading.Event()
        self.accepted: list[str] = []

    @contextmanager
    def coming(self) -> Iterator[None]:
        thread = threading.Thread(target=self._submit_all)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _submit_all(self) -> None:
        while not self._over.wait(_PAUSE_S):
            jobs = [{"type": "record", "idempotency_key": f"load-{next(_keys)}"} for _ in range(_BATCH)]
            while jobs and not self._over.is_set():
                jobs = self._submit(jobs)

    def _submit(self, jobs: list[dict[str, str]]) -> list[dict[str, str]]:
        """What is left to submit."""
        status, body = http("POST", f"{self._services.url}/jobs/batch", {"jobs": jobs})
        if status != 200:
            self._over.wait(_PAUSE_S)
            return jobs
        left = []
        for job, item in zip(jobs, body["items"], strict=True):
            if item["status"] in (200, 201, 202):
                self.accepted.append(item["job"]["id"])
            else:
                left.append(job)
        return left


async def ended(storage: Storage, ids: list[str], deadline_s: float = 60) -> list[v1.Job]:
    """The jobs, once all have ended in success."""

    async def all_succeeded() -> list[v1.Job]:
        try:
            jobs = [job for job in await _jobs(storage, ids) if job is not None]
        except StorageUnavailable:
            return []
        return jobs if [job.state for job in jobs] == [SUCCESS] * len(ids) else []

    found: list[v1.Job] = await wait_until(all_succeeded, f"{len(ids)} jobs have ended in success", deadline_s)
    return found


async def flows(load: Load, storage: Storage) -> None:
    """A job that is accepted from now on ends."""
    before = len(load.accepted)
    await wait_until(lambda: len(load.accepted) > before, "jobs are accepted", 40)
    await ended(storage, load.accepted[before : before + 1], 40)


async def check_all_ended(load: Load, storage: Storage, services: Services) -> int:
    """Every accepted job ended, and was run no more often than its history says; how often jobs were run again."""
    jobs = await ended(storage, load.accepted)
    runs = Counter((await asyncio.to_thread(services.runs.read_text)).split())
    for job in jobs:
        outcomes = [attempt.outcome for attempt in job.history.attempts]
        assert outcomes.count(v1.OUTCOME_SUCCESS) == 1
        assert 1 <= runs[job.spec.id] <= len(outcomes), (job.spec.id, runs[job.spec.id], outcomes)
    return sum(runs[job.spec.id] - 1 for job in jobs)


async def _jobs(storage: Storage, ids: list[str]) -> list[v1.Job | None]:
    found: list[v1.Job | None] = []
    for begin in range(0, len(ids), _PAGE):
        found += await storage.get_jobs(ids[begin : begin + _PAGE])
    return found
