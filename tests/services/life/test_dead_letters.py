"""Dead letters: what becomes of a job that has no attempt left."""

import asyncio

import pytest

from gotask.sdk import App
from tests.services.life.town import Life

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Shop:
    """Handlers that fail until the shop is open."""

    def __init__(self) -> None:
        self.app = App()
        self.open = False

        @self.app.job("order")
        async def order() -> str:
            if not self.open:
                raise ConnectionError("closed")
            return "sold"

        @self.app.job("refund")
        async def refund() -> str:
            if not self.open:
                raise TimeoutError("nobody there")
            return "paid"


async def test_a_job_without_an_attempt_left_is_kept_as_a_dead_letter(life: Life) -> None:
    queue = await life.queue(max_retries=1)
    await life.worker(Shop().app, queue)
    job_id = await life.submit("order", queue, payload=None)
    assert (await life.ended(job_id))["status"] == "dead"
    (letter,) = (await life.call("GET", f"/queues/{queue}/dead"))["items"]
    assert (letter["id"], letter["attempts"], letter["error"]["message"]) == (job_id, 2, "closed")
    assert (await life.stats(queue))["dead"] == 1


async def test_a_queue_without_dead_letters_ends_its_jobs_as_failed(life: Life) -> None:
    queue = await life.queue(max_retries=1, dead_letter=False)
    await life.worker(Shop().app, queue)
    assert (await life.ended(await life.submit("order", queue)))["status"] == "failed"
    assert (await life.call("GET", f"/queues/{queue}/dead"))["items"] == []
    stats = await life.stats(queue)
    assert (stats["dead"], stats["failed_jobs"]) == (0, 1)


async def test_one_dead_letter_is_retried(life: Life) -> None:
    shop, queue = Shop(), await life.queue(max_retries=0)
    await life.worker(shop.app, queue)
    one, other = await life.submit("order", queue), await life.submit("order", queue)
    await asyncio.gather(life.ended(one), life.ended(other))
    shop.open = True
    await life.post(f"/jobs/{one}/retry")
    assert (await life.until(one, "success"))["result"] == "sold"
    assert (await life.job(other))["status"] == "dead"


async def test_dead_letters_are_retried_by_the_error_that_killed_them(life: Life) -> None:
    shop, queue = Shop(), await life.queue(max_retries=0)
    await life.worker(shop.app, queue)
    orders = await life.submit_all([{"type": "order", "queue": queue}] * 3)
    refunds = await life.submit_all([{"type": "refund", "queue": queue}] * 2)
    for job_id in orders + refunds:
        assert (await life.ended(job_id))["status"] == "dead"
    shop.open = True
    answer = await life.post(f"/queues/{queue}/dead/retry", {"error_type": "TimeoutError"})
    assert answer == {"retried": 2, "complete": True}
    for job_id in refunds:
        assert (await life.until(job_id, "success"))["result"] == "paid"
    assert (await life.stats(queue))["dead"] == 3
    assert (await life.post(f"/queues/{queue}/dead/retry"))["retried"] == 3
    for job_id in orders:
        await life.until(job_id, "success")


async def test_dead_letters_are_purged(life: Life) -> None:
    queue = await life.queue(max_retries=0)
    await life.worker(Shop().app, queue)
    ids = await life.submit_all([{"type": "order", "queue": queue}] * 3)
    for job_id in ids:
        await life.ended(job_id)
    assert await life.call("DELETE", f"/queues/{queue}/dead?type=refund") == {"purged": 0, "complete": True}
    assert await life.call("DELETE", f"/queues/{queue}/dead") == {"purged": 3, "complete": True}
    for job_id in ids:
        await life.call("GET", f"/jobs/{job_id}", status=404)
