"""Handlers that are to end: those that do, and those that do not."""

import asyncio
import threading
import time
from collections.abc import Callable

import pytest
from structlog.testing import LogCapture

from gotask import v1
from gotask.jobs.request import QueueRequest
from gotask.jobs.states import CANCELLED, DEAD, SUCCESS
from gotask.sdk import App, Cancelled, JobContext
from tests.services.worker.life import Life
from tests.services.worker.support import WorkerProcess
from tests.support.waiting import wait_until

pytestmark = pytest.mark.parametrize("life", ["memory"], indirect=True)

ONCE = v1.RetryPolicy(max_retries=0)


async def cancel(life: Life, job_id: str) -> None:
    reply = await life.bus.command("cancel_jobs", v1.JobIds(ids=[job_id]), v1.JobStatuses)
    assert reply.statuses[0].code == 0


def warnings(logs: LogCapture, about: str) -> list[str]:
    """The types of the jobs that were warned of."""
    return [entry["type"] for entry in logs.entries if about in entry["event"]]


async def test_a_cancelled_coroutine_may_tidy_up(life: Life) -> None:
    app = App()
    seen: list[str] = []
    started = asyncio.Event()

    @app.job("tidy")
    async def tidy(context: JobContext) -> None:
        try:
            started.set()
            await asyncio.sleep(60)
        finally:
            seen.append(f"cancelled={context.cancelled}")

    await life.start_worker(app)
    job_id = await life.submit("tidy")
    await started.wait()
    await cancel(life, job_id)
    assert (await life.ended(job_id)).state == CANCELLED
    assert seen == ["cancelled=True"]


async def test_a_thread_sees_that_it_is_cancelled(life: Life) -> None:
    app = App()
    started, ended = threading.Event(), threading.Event()

    @app.job("polite")
    def polite(context: JobContext) -> None:
        started.set()
        while not context.cancelled:
            time.sleep(0.01)
        ended.set()
        raise Cancelled

    await life.start_worker(app)
    job_id = await life.submit("polite")
    await wait_until(started.is_set, "the handler runs")
    await cancel(life, job_id)
    assert (await life.ended(job_id)).state == CANCELLED
    await wait_until(ended.is_set, "the thread has ended")


async def test_the_slot_of_a_thread_that_ignores_its_timeout_is_free_when_it_ends(life: Life, logs: LogCapture) -> None:
    app = App()
    release = threading.Event()

    @app.job("deaf")
    def deaf() -> None:
        release.wait(60)

    @app.job("other")
    async def other() -> None: ...

    await life.start_worker(app, concurrency=1)
    job = await life.ended(await life.submit("deaf", timeout_us=100_000, retry=ONCE))
    assert (job.state, job.history.attempts[0].error.type) == (DEAD, "Timeout")
    waiting = await life.submit("other")
    await wait_until(lambda: warnings(logs, "a thread goes on"), "a warning names the handler")
    assert warnings(logs, "a thread goes on") == ["deaf"]
    still_waiting = await life.job(waiting)
    assert still_waiting is not None
    assert still_waiting.state == v1.JOB_STATE_PENDING
    release.set()
    assert (await life.ended(waiting)).state == SUCCESS


async def test_a_coroutine_that_ignores_its_cancellation_ends_its_attempt_all_the_same(
    life: Life, logs: LogCapture
) -> None:
    app = App()
    release = asyncio.Event()

    @app.job("deaf")
    async def deaf() -> str:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return "too late"

    @app.job("other")
    async def other() -> None: ...

    await life.start_worker(app, concurrency=1)
    job = await life.ended(await life.submit("deaf", timeout_us=100_000, retry=ONCE))
    assert (job.state, job.history.attempts[0].error.type) == (DEAD, "Timeout")
    assert warnings(logs, "a coroutine ignores its cancellation") == ["deaf"]
    waiting = await life.submit("other")
    release.set()
    assert (await life.ended(waiting)).state == SUCCESS
    after = await life.job(job.spec.id)
    assert after is not None
    assert len(after.history.attempts) == 1


async def test_a_worker_whose_loop_is_blocked_loses_its_jobs_and_its_blocker_is_named(
    life: Life, start_process: Callable[..., WorkerProcess]
) -> None:
    short = QueueRequest.model_validate({"name": "short", "lease": "1500ms"})
    await life.bus.command("create_queue", short.to_queue(short.name, 0), v1.Queue)
    first, second = (
        start_process(
            "tests.services.worker.blocking:app", "--worker-id", name, "--queues", "short", "--concurrency", "1"
        )
        for name in ("first", "second")
    )
    await asyncio.to_thread(first.wait_for, "started")
    await asyncio.to_thread(second.wait_for, "started")
    job = await life.ended(await life.submit("blocking", queue="short", retry=v1.RetryPolicy(max_retries=1)))
    assert (job.state, job.result) == (SUCCESS, b"2")
    lost, won = job.history.attempts
    assert (lost.outcome, lost.error.type, won.outcome) == (v1.OUTCOME_LEASE_LOST, "LeaseLost", v1.OUTCOME_SUCCESS)
    assert {lost.worker, won.worker} == {"first", "second"}

    blocked = first if lost.worker == "first" else second
    (warning,) = blocked.entries("the event loop is blocked")
    assert (warning["handler"], "in blocking" in warning["at"]) == ("blocking", True)
    (over,) = await asyncio.to_thread(blocked.wait_for, "the event loop runs again")
    assert over["blocked_s"] > 5
