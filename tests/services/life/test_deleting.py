"""Deleting: what has ended may be forgotten, nothing else."""

import asyncio

import pytest

from gotask.sdk import App
from tests.services.life.town import Life

pytestmark = pytest.mark.asyncio(loop_scope="session")


def mixed_app() -> App:
    app = App()

    @app.job("quick")
    async def quick() -> None: ...

    @app.job("fail")
    async def fail() -> None:
        raise ValueError("no")

    @app.job("long")
    async def long() -> None:
        await asyncio.sleep(60)

    return app


async def test_what_waits_or_runs_is_not_deleted(life: Life) -> None:
    idle, queue, failing = await life.queue(), await life.queue(), await life.queue(retry_delay="1h")
    await life.worker(mixed_app(), queue, failing)
    jobs = {
        "pending": await life.submit("quick", idle),
        "scheduled": await life.submit("quick", queue, delay="1h"),
        "running": await life.submit("long", queue),
        "retrying": await life.submit("fail", failing),
    }
    for status, job_id in jobs.items():
        await life.until(job_id, status)
        refused = await life.call("DELETE", f"/jobs/{job_id}", status=409)
        assert f"is {status}; cancel it before you delete it" in refused["detail"]


async def test_whatever_has_ended_is_deleted(life: Life) -> None:
    queue, no_letters = await life.queue(max_retries=0), await life.queue(max_retries=0, dead_letter=False)
    cancelled = await life.submit("quick", queue, delay="1h")
    await life.post(f"/jobs/{cancelled}/cancel")
    jobs = {"cancelled": cancelled, "expired": await life.submit("quick", queue, ttl="1ms", delay="1h")}
    await life.worker(mixed_app(), queue, no_letters)
    jobs |= {
        "success": await life.submit("quick", queue),
        "dead": await life.submit("fail", queue),
        "failed": await life.submit("fail", no_letters),
    }
    for status, job_id in jobs.items():
        assert (await life.ended(job_id))["status"] == status
        await life.call("DELETE", f"/jobs/{job_id}", status=204)
        await life.call("GET", f"/jobs/{job_id}", status=404)
        await life.call("DELETE", f"/jobs/{job_id}", status=404)


async def test_with_its_job_an_idempotency_key_is_forgotten(life: Life) -> None:
    queue = await life.queue()
    first = await life.submit("quick", queue, delay="1h", idempotency_key=f"{queue}-a")
    await life.post(f"/jobs/{first}/cancel")
    await life.call("DELETE", f"/jobs/{first}", status=204)
    assert await life.submit("quick", queue, delay="1h", idempotency_key=f"{queue}-a") != first


async def test_a_queue_is_deleted_once_nothing_waits_or_runs_in_it(life: Life) -> None:
    queue = await life.queue()
    job_id = await life.submit("quick", queue, delay="1h")
    await life.call("DELETE", f"/queues/{queue}", status=409)
    await life.post(f"/jobs/{job_id}/cancel")
    await life.call("DELETE", f"/queues/{queue}", status=204)
    await life.call("GET", f"/queues/{queue}", status=404)
    await life.call("GET", f"/jobs/{job_id}", status=404)
