"""Progress: seen at once, and cheap for a handler that tells a lot."""

import asyncio
import time

import pytest

from gotask import v1
from gotask.bus.bus import Bus
from gotask.sdk import App, JobContext
from gotask.service.settings import ServiceSettings
from tests.services.life.town import Life

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_progress_is_seen_through_rest_within_a_fifth_of_a_second(life: Life) -> None:
    """The best of a few: a machine that is busy with other things may be late now and then."""
    app = App()
    steps: asyncio.Queue[float] = asyncio.Queue()

    @app.job("long")
    async def long(context: JobContext) -> None:
        while percent := await steps.get():
            context.progress(percent, f"at {percent:g}")

    queue = await life.queue()
    await life.worker(app, queue)
    job_id = await life.submit("long", queue)
    took = []
    for percent in (10.0, 20.0, 30.0, 40.0, 50.0):
        told_at = time.monotonic()
        steps.put_nowait(percent)
        job = await life.until(job_id, "running", lambda job, percent=percent: _percent(job) == percent)  # type: ignore[misc]
        took.append(time.monotonic() - told_at)
        assert job["progress"]["message"] == f"at {percent:g}"
    steps.put_nowait(0)
    await life.ended(job_id)
    assert min(took) < 0.2


def _percent(job: dict) -> float:  # type: ignore[type-arg]
    return job["progress"]["percent"] if job["progress"] else -1.0


async def test_a_handler_that_tells_progress_all_the_time_costs_little(life: Life) -> None:
    app = App()
    done = asyncio.Event()
    reports = 100_000

    @app.job("chatty")
    async def chatty(context: JobContext) -> float:
        began = time.process_time()
        for number in range(reports):
            context.progress(100 * number / reports)
            if number % 1_000 == 0:
                await asyncio.sleep(0)
        spent = time.process_time() - began
        context.progress(100, "all told")
        await done.wait()
        return spent

    queue = await life.queue()
    bus = await Bus.open(ServiceSettings.load(**life.town.settings), "ear")
    heard: list[v1.EventBatch] = []

    async def hear(message) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        heard.extend(v1.JobEvents.FromString(message.data).batches)

    await bus.subscribe(bus.subjects.event(queue, v1.EVENT_KIND_PROGRESS), hear)
    await bus.client.flush()
    await life.worker(app, queue)
    job_id = await life.submit("chatty", queue)
    job = await life.until(job_id, "running", lambda job: _percent(job) == 100)
    done.set()
    took = (await life.ended(job_id))["result"]
    assert job["progress"]["message"] == "all told"
    told = sum(len(batch.job_ids) for batch in heard)
    # Ten a second at most, whatever the handler does.
    assert 1 <= told <= 12 * (took + 2)
    await bus.close()


async def test_a_job_that_waits_for_its_next_attempt_shows_no_progress(life: Life) -> None:
    app = App()

    @app.job("fail")
    async def fail(context: JobContext) -> None:
        context.progress(70)
        await asyncio.sleep(0.3)
        raise ValueError("no")

    queue = await life.queue(retry_delay="1h")
    await life.worker(app, queue)
    job_id = await life.submit("fail", queue)
    await life.until(job_id, "running", lambda job: _percent(job) == 70)
    assert (await life.until(job_id, "retrying"))["progress"] is None


async def test_progress_outside_of_its_bounds_is_the_handlers_error(life: Life) -> None:
    app = App()

    @app.job("wrong")
    async def wrong(context: JobContext) -> None:
        context.progress(101)

    queue = await life.queue(max_retries=0)
    await life.worker(app, queue)
    error = (await life.ended(await life.submit("wrong", queue)))["error"]
    assert (error["type"], error["message"]) == ("ValueError", "progress of 101 percent; use 0 to 100")
