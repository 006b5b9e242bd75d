"""Limits: how many jobs of a queue run, start and wait, over all workers together."""

import asyncio
import time

import pytest

from gotask.sdk import App, JobContext
from tests.services.life.town import Life, seconds
from tests.support.waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Watched:
    """Handlers that know how many of them run at once, and when each started."""

    def __init__(self, takes_s: float = 0.0) -> None:
        self.app = App()
        self.running = 0
        self.most = 0
        self.starts: list[float] = []

        @self.app.job("work")
        async def work(context: JobContext) -> None:
            self.starts.append(time.monotonic())
            self.running += 1
            self.most = max(self.most, self.running)
            await asyncio.sleep(takes_s)
            self.running -= 1


async def test_no_more_jobs_run_at_once_than_the_queue_allows_over_all_workers(life: Life) -> None:
    queue, watched = await life.queue(max_workers=5), Watched(takes_s=0.005)
    for _ in range(3):
        await life.worker(watched.app, queue, concurrency=4)
    await life.submit_all([{"type": "work", "queue": queue}] * 300)
    await wait_until(lambda: len(watched.starts) == 300, "all jobs start", 60)
    assert watched.most == 5


async def test_a_slot_of_a_limited_queue_is_free_again_however_its_job_ended(life: Life) -> None:
    app = App()

    @app.job("fail")
    async def fail() -> None:
        raise ValueError("no")

    @app.job("long")
    async def long() -> None:
        await asyncio.sleep(60)

    queue = await life.queue(max_workers=1, max_retries=0)
    await life.worker(app, queue)
    cancelled, failed, last = [await life.submit(job_type, queue) for job_type in ("long", "fail", "fail")]
    await life.until(cancelled, "running")
    assert (await life.job(failed))["status"] == "pending"
    await life.post(f"/jobs/{cancelled}/cancel")
    for job_id in (failed, last):
        assert (await life.ended(job_id))["status"] == "dead"


async def test_a_limit_that_is_raised_counts_at_once(life: Life) -> None:
    queue, watched = await life.queue(max_workers=1), Watched(takes_s=30)
    await life.worker(watched.app, queue)
    await life.submit_all([{"type": "work", "queue": queue}] * 3)
    await wait_until(lambda: watched.running == 1, "one job runs")
    await life.call("PUT", f"/queues/{queue}", {"max_workers": 3})
    await wait_until(lambda: watched.running == 3, "three jobs run")


async def test_no_more_jobs_start_per_second_than_the_queue_allows_over_all_workers(life: Life) -> None:
    """A second's worth may start at once; from then on the rate holds."""
    rate, after_s = 50, 2.5
    queue, watched = await life.queue(rate_limit=rate), Watched()
    for _ in range(3):
        await life.worker(watched.app, queue, concurrency=20)
    await life.submit_all([{"type": "work", "queue": queue}] * 400)
    await wait_until(lambda: watched.starts, "the first job starts")
    begin = watched.starts[0]
    await wait_until(lambda: time.monotonic() > begin + after_s, "time passes")
    jobs = (await life.call("GET", f"/jobs?queue={queue}&limit=400"))["items"]
    claims = sorted(job["started_at"] for job in jobs if job["started_at"])
    started = sum(seconds(claim, claims[0]) <= after_s for claim in claims)
    assert started <= rate + rate * after_s * 1.05
    # Fewer on a machine that is busy with other things.
    assert started >= rate * after_s * 0.5


async def test_a_paused_queue_starts_nothing_until_it_is_resumed(life: Life) -> None:
    queue, watched = await life.queue(), Watched()
    await life.worker(watched.app, queue)
    await life.submit_all([{"type": "work", "queue": queue}] * 200)
    assert (await life.post(f"/queues/{queue}/pause"))["paused"]
    # What was claimed before is on its way to its worker.
    await wait_until(lambda: watched.running == 0, "what runs ends")
    waiting = (await life.stats(queue))["pending_jobs"]
    more = await life.submit("work", queue)
    await asyncio.sleep(0.3)
    assert (await life.stats(queue))["pending_jobs"] == waiting + 1
    await life.post(f"/queues/{queue}/resume")
    assert (await life.ended(more))["status"] == "success"


async def test_jobs_that_run_go_on_while_their_queue_is_paused(life: Life) -> None:
    queue, watched = await life.queue(), Watched(takes_s=0.2)
    await life.worker(watched.app, queue)
    job_id = await life.submit("work", queue)
    await life.until(job_id, "running")
    await life.post(f"/queues/{queue}/pause")
    assert (await life.ended(job_id))["status"] == "success"


async def test_a_full_queue_pushes_back_and_says_when_to_come_again(life: Life) -> None:
    queue, watched = await life.queue(max_length=3), Watched()
    first = await life.submit("work", queue)
    await life.submit("work", queue, delay="1h")
    await life.submit("work", queue)
    refused = await life.http.post("/jobs", json={"type": "work", "queue": queue})
    assert (refused.status_code, refused.json()["detail"]) == (429, f"queue '{queue}' is full")
    assert int(refused.headers["Retry-After"]) > 0
    batch = await life.post("/jobs/batch", {"jobs": [{"type": "work", "queue": queue}] * 2})
    assert [item["status"] for item in batch["items"]] == [429, 429]
    stats = await life.stats(queue)
    assert (stats["pending_jobs"], stats["scheduled"]) == (2, 1)
    await life.worker(watched.app, queue)
    await life.ended(first)
    await life.submit("work", queue)


async def test_a_queue_is_made_by_the_first_job_that_names_it(life: Life) -> None:
    queue = f"{await life.queue()}-made-on-use"
    watched = Watched()
    await life.worker(watched.app, queue)
    job = await life.ended(await life.submit("work", queue))
    assert (job["status"], job["max_retries"], job["retry_delay"], job["timeout"]) == ("success", 3, "1m", "5m")
