"""Leases: what becomes of the jobs of a worker that falls silent, and of what it says when it is back."""

import asyncio
import contextlib
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from gotask.bus.bus import Bus
from gotask.sdk import App, JobContext
from gotask.service.clock import SystemClock
from gotask.worker.service import WorkerService
from gotask.worker.settings import WorkerSettings
from tests.services.life.town import FIRST_LEASE_S, HEARTBEAT_S, Life, outcomes, seconds
from tests.support.proxy import proxy_to
from tests.support.waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="session")

LEASE_S = FIRST_LEASE_S
PATIENCE_S = 8.0
"""Longest that a job may take to another worker on a busy machine."""


def second_app() -> App:
    """Of the worker that takes over."""
    app = App()

    @app.job("sleep")
    async def sleep(seconds: float = 0) -> str:
        return "the second"

    return app


@contextlib.asynccontextmanager
async def worker_process(life: Life, queue: str, concurrency: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker with the built-in handlers as a process of its own."""
    settings = life.worker_settings(queue)
    options = [
        f"--{name}={value}"
        for name, value in {
            "nats-url": settings.nats_url,
            "namespace": settings.namespace,
            "queues": queue,
            "heartbeat": HEARTBEAT_S,
            "concurrency": concurrency,
        }.items()
    ]
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "gotask.cli", "worker", *options)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def taken_over(life: Life, job_id: str, since: float) -> dict[str, Any]:
    """The job, ended by the second worker, within its lease and the time that a busy machine needs."""
    job = await life.ended(job_id)
    assert job["result"] == "the second"
    # What reached nobody at a killed worker was handed back.
    assert [outcome for outcome in outcomes(job) if outcome != "returned"] == ["lease_lost", "success"], job["history"]
    assert "was not heard in time" in job["history"][0]["error"]["message"]
    assert time.monotonic() - since < LEASE_S + PATIENCE_S
    return job


async def test_jobs_of_a_worker_that_is_killed_go_to_another(life: Life) -> None:
    queue = await life.queue(lease=f"{LEASE_S}s")
    process = await life.enter(worker_process(life, queue, concurrency=2))
    job_id = await life.submit("sleep", queue, payload={"seconds": 60})
    await life.until(job_id, "running")
    process.kill()
    since = time.monotonic()
    await life.worker(second_app(), queue)
    await taken_over(life, job_id, since)


async def test_a_worker_that_was_paused_changes_nothing_when_it_goes_on(life: Life) -> None:
    queue = await life.queue(lease=f"{LEASE_S}s")
    process = await life.enter(worker_process(life, queue, concurrency=1))
    takes_s = 2.0
    job_id = await life.submit("sleep", queue, payload={"seconds": takes_s})
    await wait_until(lambda: runs(life, job_id), "its worker says that it runs")
    process.send_signal(signal.SIGSTOP)
    since = time.monotonic()
    await life.worker(second_app(), queue)
    ended = await taken_over(life, job_id, since)
    await wait_until(lambda: time.monotonic() > since + takes_s, "the handler is due to end")
    process.send_signal(signal.SIGCONT)
    await counted_stale(life, queue, 1)
    assert await life.job(job_id) == ended


async def runs(life: Life, job_id: str) -> bool:
    """Whether a worker has told that it runs the job."""
    workers = (await life.call("GET", "/workers"))["items"]
    return any(run["job_id"] == job_id for worker in workers for run in worker["runs"])


async def counted_stale(life: Life, queue: str, results: int) -> None:
    async def counted() -> bool:
        return await life.metric("taskqueue_results_stale_total", queue=queue) == results

    await wait_until(counted, f"{results} stale results are counted")


class Hanging:
    """A worker on an event loop of its own, whose handler hangs it until it is let go."""

    def __init__(self, life: Life, queue: str) -> None:
        self._settings = life.worker_settings(queue)
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self.hangs = threading.Event()
        self.let_go = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._main(),))

    async def _main(self) -> None:
        app = App()

        @app.job("sleep")
        async def sleep() -> str:
            self.hangs.set()
            self.let_go.wait(60)
            return "the first"

        bus = await Bus.open(self._settings, "hanging")
        worker = WorkerService(self._settings, bus, app, SystemClock())
        await worker.start()
        await self._stop.wait()
        await worker.stop()
        await bus.close()

    async def __aenter__(self) -> "Hanging":
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.let_go.set()
        self._loop.call_soon_threadsafe(self._stop.set)
        await asyncio.to_thread(self._thread.join)
        self._loop.close()


async def test_jobs_of_a_worker_that_hangs_go_to_another_and_its_late_result_is_counted(life: Life) -> None:
    queue = await life.queue(lease=f"{LEASE_S}s")
    hanging = await life.enter(Hanging(life, queue))
    job_id = await life.submit("sleep", queue)
    await wait_until(hanging.hangs.is_set, "the handler hangs its worker")
    since = time.monotonic()
    await life.worker(second_app(), queue)
    ended = await taken_over(life, job_id, since)
    hanging.let_go.set()
    await counted_stale(life, queue, 1)
    assert await life.job(job_id) == ended


async def test_jobs_of_a_worker_without_network_go_to_another_and_its_late_result_is_counted(life: Life) -> None:
    app = App()
    begun = asyncio.Event()
    let_go = asyncio.Event()
    done = asyncio.Event()

    @app.job("sleep")
    async def sleep() -> str:
        begun.set()
        await let_go.wait()
        done.set()
        return "the first"

    queue = await life.queue(lease=f"{LEASE_S}s")
    proxy = await life.enter(proxy_to(urlsplit(life.town.settings["nats_url"]).port or 0))
    settings = life.worker_settings(queue, nats_url=f"nats://127.0.0.1:{proxy.port}")
    await life.enter(own_worker(app, settings))
    job_id = await life.submit("sleep", queue)
    await wait_until(begun.is_set, "the job has come to its worker")
    with proxy.held():
        since = time.monotonic()
        await life.worker(second_app(), queue)
        ended = await taken_over(life, job_id, since)
        let_go.set()
        await wait_until(done.is_set, "the handler of the first worker ends")
    await counted_stale(life, queue, 1)
    assert await life.job(job_id) == ended


@contextlib.asynccontextmanager
async def own_worker(app: App, settings: WorkerSettings) -> AsyncIterator[WorkerService]:
    """A worker with a connection of its own."""
    bus = await Bus.open(settings, "own")
    worker = WorkerService(settings, bus, app, SystemClock())
    await worker.start()
    try:
        yield worker
    finally:
        await worker.stop()
        await bus.close()


async def test_a_worker_that_is_back_is_told_what_it_lost(life: Life) -> None:
    app = App()
    begun = asyncio.Event()
    told = asyncio.Event()

    @app.job("sleep")
    async def sleep() -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            told.set()
            raise

    queue = await life.queue(lease=f"{LEASE_S}s")
    proxy = await life.enter(proxy_to(urlsplit(life.town.settings["nats_url"]).port or 0))
    settings = life.worker_settings(queue, nats_url=f"nats://127.0.0.1:{proxy.port}")
    await life.enter(own_worker(app, settings))
    job_id = await life.submit("sleep", queue)
    await wait_until(begun.is_set, "the job has come to its worker")
    with proxy.held():
        await life.worker(second_app(), queue)
        await taken_over(life, job_id, time.monotonic())
    await wait_until(told.is_set, "the first worker is told")


async def test_a_worker_that_is_heard_keeps_its_job_for_as_long_as_it_takes(life: Life) -> None:
    app = App()

    @app.job("sleep")
    async def sleep() -> str:
        await asyncio.sleep(2.5 * LEASE_S)
        return "the first"

    queue = await life.queue(lease=f"{LEASE_S}s")
    await life.worker(app, queue)
    job = await life.ended(await life.submit("sleep", queue))
    assert (job["result"], outcomes(job)) == ("the first", ["success"])


async def test_a_job_that_silences_its_workers_ends_when_it_has_no_attempt_left(life: Life) -> None:
    queue = await life.queue(lease=f"{LEASE_S}s", max_retries=0)
    hanging = await life.enter(Hanging(life, queue))
    job_id = await life.submit("sleep", queue)
    await wait_until(hanging.hangs.is_set, "the handler hangs its worker")
    job = await life.ended(job_id)
    assert (job["status"], outcomes(job), job["error"]["type"]) == ("dead", ["lease_lost"], "LeaseLost")
    assert seconds(job["finished_at"], job["started_at"]) >= LEASE_S - 2 * HEARTBEAT_S
    hanging.let_go.set()
    await counted_stale(life, queue, 1)


async def test_a_cancelled_job_of_a_silent_worker_is_cancelled_with_its_lease(life: Life) -> None:
    queue = await life.queue(lease=f"{LEASE_S}s")
    hanging = await life.enter(Hanging(life, queue))
    job_id = await life.submit("sleep", queue)
    await wait_until(hanging.hangs.is_set, "the handler hangs its worker")
    await life.post(f"/jobs/{job_id}/cancel")
    job = await life.ended(job_id)
    assert (job["status"], outcomes(job)) == ("cancelled", ["lease_lost"])


async def test_context_knows_which_try_it_is_after_a_lost_lease(life: Life) -> None:
    app = App()

    @app.job("sleep")
    async def sleep(context: JobContext) -> int:
        return context.attempt

    queue = await life.queue(lease=f"{LEASE_S}s")
    hanging = await life.enter(Hanging(life, queue))
    job_id = await life.submit("sleep", queue)
    await wait_until(hanging.hangs.is_set, "the handler hangs its worker")
    await life.worker(app, queue)
    assert (await life.ended(job_id))["result"] == 2
