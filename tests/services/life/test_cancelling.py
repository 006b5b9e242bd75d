"""Cancelling: at once while a job waits, as soon as its handler lets go while it runs."""

import asyncio
import threading

import httpx
import pytest

from gotask.sdk import App, JobContext
from tests.services.life.town import Life, outcomes

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_waiting_jobs_are_cancelled_at_once(life: Life) -> None:
    app = App()

    @app.job("fail")
    async def fail() -> None:
        raise ValueError("no")

    queue = await life.queue()
    pending, scheduled = await life.submit("never", queue), await life.submit("never", queue, delay="1h")
    failing = await life.queue(retry_delay="1h")
    await life.worker(app, failing)
    retrying = await life.submit("fail", failing)
    await life.until(retrying, "retrying")
    for job_id in (pending, scheduled, retrying):
        assert (await life.post(f"/jobs/{job_id}/cancel"))["status"] == "cancelled"
    assert (await life.job(retrying))["due_at"] is None


async def test_a_cancelled_job_never_starts(life: Life) -> None:
    app = App()
    started: list[str] = []

    @app.job("note")
    async def note(context: JobContext) -> None:
        started.append(context.job_id)

    queue = await life.queue()
    cancelled, scheduled = await life.submit("note", queue), await life.submit("note", queue, delay="100ms")
    for job_id in (cancelled, scheduled):
        await life.post(f"/jobs/{job_id}/cancel")
    await life.worker(app, queue)
    last = await life.submit("note", queue, delay="200ms")
    await life.ended(last)
    assert started == [last]


async def test_a_running_coroutine_gets_cancelled_error(life: Life) -> None:
    app = App()
    let_go = asyncio.Event()

    @app.job("long")
    async def long() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            let_go.set()
            raise

    queue = await life.queue()
    await life.worker(app, queue)
    job_id = await life.submit("long", queue)
    await life.until(job_id, "running")
    told = await life.post(f"/jobs/{job_id}/cancel")
    assert told["cancel_requested"] or told["status"] == "cancelled"
    job = await life.ended(job_id)
    assert (job["status"], outcomes(job), let_go.is_set()) == ("cancelled", ["cancelled"], True)


async def test_a_running_thread_sees_that_it_is_to_stop(life: Life) -> None:
    app = App()
    forget = threading.Event()

    @app.job("long")
    def long(context: JobContext) -> str:
        while not context.cancelled:
            forget.wait(0.005)
        return "what a cancelled job returns is dropped"

    queue = await life.queue()
    await life.worker(app, queue)
    job_id = await life.submit("long", queue)
    await life.until(job_id, "running")
    await life.post(f"/jobs/{job_id}/cancel")
    job = await life.ended(job_id)
    assert (job["status"], job["result"]) == ("cancelled", None)


async def test_a_handler_that_fails_once_it_is_to_be_cancelled_is_not_retried(life: Life) -> None:
    app = App()

    @app.job("stubborn")
    async def stubborn() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise ValueError("not now") from None

    queue = await life.queue(max_retries=5)
    await life.worker(app, queue)
    job_id = await life.submit("stubborn", queue)
    await life.until(job_id, "running")
    await life.post(f"/jobs/{job_id}/cancel")
    job = await life.ended(job_id)
    assert (job["status"], len(job["history"])) == ("cancelled", 1)


async def test_a_job_that_ended_before_its_worker_heard_keeps_its_result(life: Life) -> None:
    """The worker's result is on its way when the cancellation comes: what was done is told, not dropped."""
    app = App()

    @app.job("quick")
    async def quick() -> str:
        return "done"

    queue = await life.queue()
    await life.worker(app, queue)
    ids = await life.submit_all([{"type": "quick", "queue": queue}] * 40)
    statuses = [response.status_code for response in await cancel_all(life, ids)]
    for job_id, status in zip(ids, statuses, strict=True):
        job = await life.ended(job_id)
        if job["status"] == "success":
            assert job["result"] == "done"
        else:
            assert (job["status"], status) == ("cancelled", 200)
        # Refused only where the job had ended.
        assert status == 200 or job["status"] == "success"


async def cancel_all(life: Life, ids: list[str]) -> list[httpx.Response]:
    return list(await asyncio.gather(*(life.http.post(f"/jobs/{job_id}/cancel") for job_id in ids)))


async def test_in_every_race_with_a_claim_a_job_either_runs_or_is_cancelled(life: Life) -> None:
    app = App()
    ran: list[str] = []

    @app.job("note")
    async def note(context: JobContext) -> None:
        ran.append(context.job_id)
        await asyncio.sleep(60)

    queue = await life.queue()
    await life.worker(app, queue, concurrency=100)
    jobs = [{"type": "note", "queue": queue}] * 60
    ids = await life.submit_all(jobs)
    answers = [response.json() for response in await cancel_all(life, ids)]
    for job_id, answer in zip(ids, answers, strict=True):
        job = await life.ended(job_id)
        assert job["status"] == "cancelled"
        # What was told while it ran may have ended before the answer was made.
        assert (job["attempts"] == 0) <= (answer["status"] == "cancelled")
        assert ran.count(job_id) <= job["attempts"] == len(job["history"])
        # Another attempt follows one that lost its lease, and nothing else.
        assert set(outcomes(job)[:-1]) <= {"lease_lost"}


async def test_what_has_ended_or_is_told_to_end_is_not_cancelled_again(life: Life) -> None:
    app = App()

    @app.job("quick")
    async def quick() -> None: ...

    @app.job("long")
    def long(context: JobContext) -> None:
        release.wait(30)

    release = threading.Event()
    queue = await life.queue()
    await life.worker(app, queue)
    ended, running = await life.submit("quick", queue), await life.submit("long", queue)
    await life.ended(ended)
    await life.until(running, "running")
    assert "is success already" in (await life.post(f"/jobs/{ended}/cancel", status=409))["detail"]
    await life.post(f"/jobs/{running}/cancel")
    release.set()
    await life.ended(running)
    assert "is cancelled already" in (await life.post(f"/jobs/{running}/cancel", status=409))["detail"]


async def test_a_purged_queue_runs_nothing_that_waited(life: Life) -> None:
    app = App()
    started: list[str] = []

    @app.job("note")
    async def note(context: JobContext) -> None:
        started.append(context.job_id)

    queue = await life.queue()
    purged = [
        *await life.submit_all([{"type": "note", "queue": queue}] * 3),
        await life.submit("note", queue, delay="1s"),
    ]
    assert await life.post(f"/queues/{queue}/purge") == {"cancelled": 4, "complete": True}
    await life.worker(app, queue)
    last = await life.submit("note", queue)
    await life.ended(last)
    assert started == [last]
    for job_id in purged:
        assert (await life.ended(job_id))["status"] == "cancelled"
