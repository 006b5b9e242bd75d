"""Time: delays, time-outs, times to live."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest

from gotask.sdk import App, JobContext
from tests.services.life.town import Life, outcomes, seconds
from tests.support.waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="session")


def quick_app() -> App:
    app = App()

    @app.job("quick")
    async def quick() -> str:
        return "done"

    return app


async def test_a_delayed_job_starts_when_it_is_due_and_not_before(life: Life) -> None:
    queue = await life.queue()
    await life.worker(quick_app(), queue)
    at = (datetime.now(UTC) + timedelta(seconds=0.4)).isoformat()
    delayed, scheduled = (
        await life.submit("quick", queue, delay="400ms"),
        await life.submit("quick", queue, scheduled_at=at),
    )
    for job_id in (delayed, scheduled):
        assert (await life.job(job_id))["status"] == "scheduled"
    for job_id in (delayed, scheduled):
        job = await life.ended(job_id)
        assert seconds(job["started_at"], job["scheduled_at"]) >= 0


async def test_a_coroutine_that_takes_too_long_is_ended_and_its_job_is_retried(life: Life) -> None:
    app = App()
    let_go: list[int] = []

    @app.job("slow")
    async def slow(context: JobContext) -> str:
        if context.attempt > 1:
            return "in time"
        try:
            await asyncio.sleep(60)
        finally:
            let_go.append(context.attempt)
        return "too late"

    queue = await life.queue()
    await life.worker(app, queue)
    job = await life.ended(await life.submit("slow", queue, timeout="100ms"))
    assert (job["result"], outcomes(job), let_go) == ("in time", ["failure", "success"], [1])
    error = job["history"][0]["error"]
    assert (error["type"], error["message"]) == ("Timeout", "the attempt took longer than 100ms")


async def test_a_thread_that_takes_too_long_sees_it_and_its_job_has_failed(life: Life) -> None:
    app = App()
    forget = threading.Event()

    @app.job("slow")
    def slow(context: JobContext) -> str:
        while not context.cancelled:
            forget.wait(0.005)
        return "too late"

    queue = await life.queue(max_retries=0)
    await life.worker(app, queue)
    job = await life.ended(await life.submit("slow", queue, timeout="100ms"))
    assert (job["status"], job["result"], job["error"]["type"]) == ("dead", None, "Timeout")


async def test_what_a_job_says_of_its_timeout_counts_before_what_its_queue_says(life: Life) -> None:
    app = App()

    @app.job("slow")
    async def slow() -> None:
        await asyncio.sleep(60)

    queue = await life.queue(timeout="100ms", max_retries=0)
    await life.worker(app, queue)
    of_queue = await life.ended(await life.submit("slow", queue))
    assert of_queue["error"]["message"] == "the attempt took longer than 100ms"
    of_job = await life.ended(await life.submit("slow", queue, timeout="150ms"))
    assert of_job["error"]["message"] == "the attempt took longer than 150ms"


async def test_a_job_that_waits_past_its_time_to_live_expires_and_never_starts(life: Life) -> None:
    queue = await life.queue()
    now = datetime.now(UTC)
    ids = [
        await life.submit("quick", queue, ttl="50ms"),
        await life.submit("quick", queue, expires_at=(now + timedelta(seconds=0.05)).isoformat()),
        await life.submit("quick", queue, ttl="50ms", delay="1h"),
    ]
    for job_id in ids:
        assert (await life.ended(job_id))["status"] == "expired"
    await life.worker(quick_app(), queue)
    await life.ended(await life.submit("quick", queue))
    for job_id in ids:
        job = await life.job(job_id)
        assert (job["status"], job["attempts"], job["started_at"]) == ("expired", 0, None)


async def test_a_claim_passes_over_what_has_expired(life: Life) -> None:
    queue = await life.queue()
    over = await life.submit("quick", queue, ttl="1ms", priority=9)
    last = await life.submit("quick", queue)
    await asyncio.sleep(0.002)
    await life.worker(quick_app(), queue)
    assert (await life.ended(last))["status"] == "success"
    assert (await life.ended(over))["status"] == "expired"


async def test_a_job_that_started_in_time_goes_on_past_its_time_to_live(life: Life) -> None:
    app = App()
    over = asyncio.Event()

    @app.job("slow")
    async def slow() -> str:
        await over.wait()
        return "done"

    queue = await life.queue()
    await life.worker(app, queue)
    job_id = await life.submit("slow", queue, ttl="3s")
    job = await life.until(job_id, "running")
    await wait_until(lambda: datetime.now(UTC) > datetime.fromisoformat(job["expires_at"]), "its time is over")
    over.set()
    assert (await life.ended(job_id))["result"] == "done"


async def test_a_failed_job_is_not_tried_again_past_its_time_to_live(life: Life) -> None:
    app = App()

    @app.job("fail")
    async def fail() -> None:
        raise ValueError("no")

    queue = await life.queue(retry_delay="1h")
    await life.worker(app, queue)
    job = await life.ended(await life.submit("fail", queue, ttl="3s"))
    assert (job["status"], outcomes(job)) == ("expired", ["failure"])


async def test_an_expired_job_that_is_retried_by_hand_has_no_time_to_live_any_more(life: Life) -> None:
    queue = await life.queue()
    job_id = await life.submit("quick", queue, ttl="1ms")
    assert (await life.ended(job_id))["status"] == "expired"
    await life.worker(quick_app(), queue)
    await life.post(f"/jobs/{job_id}/retry")
    assert (await life.until(job_id, "success"))["result"] == "done"
