"""Keys: a job that was submitted before is not submitted again, however many try at once."""

import asyncio

import httpx
import pytest

from gotask.sdk import App
from tests.services.life.town import Life

pytestmark = pytest.mark.asyncio(loop_scope="session")


def quick_app() -> App:
    app = App()

    @app.job("quick")
    async def quick() -> None: ...

    @app.job("fail")
    async def fail() -> None:
        raise ValueError("no")

    return app


async def submit_at_once(life: Life, count: int, **fields: object) -> list[httpx.Response]:
    """The same job *count* times at once, through both gateways in turn."""
    gateways = life.town.gateways
    calls = [gateways[number % 2].post("/jobs", json={"type": "quick", **fields}) for number in range(count)]
    return list(await asyncio.gather(*calls))


async def test_of_fifty_at_once_with_one_idempotency_key_one_is_stored(life: Life) -> None:
    queue = await life.queue()
    answers = await submit_at_once(life, 50, queue=queue, idempotency_key=f"{queue}-order")
    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert (await life.stats(queue))["pending_jobs"] == 1


async def test_of_fifty_at_once_with_one_unique_key_one_is_stored(life: Life) -> None:
    queue = await life.queue()
    answers = await submit_at_once(life, 50, queue=queue, unique_key=f"{queue}-report")
    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert (await life.stats(queue))["pending_jobs"] == 1


async def test_an_idempotency_key_answers_with_the_first_job_also_when_it_has_ended(life: Life) -> None:
    queue = await life.queue()
    await life.worker(quick_app(), queue)
    first = await life.submit("quick", queue, idempotency_key=f"{queue}-order", payload=None)
    await life.ended(first)
    for gateway in life.town.gateways:
        again = await gateway.post(
            "/jobs", json={"type": "fail", "queue": queue}, headers={"Idempotency-Key": f"{queue}-order"}
        )
        assert (again.status_code, again.json()["id"], again.json()["status"]) == (200, first, "success")


@pytest.mark.parametrize("job_type", ["quick", "fail"])
async def test_a_unique_key_is_free_again_when_its_job_has_ended(life: Life, job_type: str) -> None:
    queue = await life.queue(max_retries=0)
    await life.worker(quick_app(), queue)
    first = await life.submit(job_type, queue, unique_key=f"{queue}-report")
    await life.ended(first)
    assert await life.submit(job_type, queue, unique_key=f"{queue}-report") != first


async def test_a_unique_key_is_held_while_its_job_waits_runs_or_is_retried(life: Life) -> None:
    app = App()
    fails = asyncio.Event()

    @app.job("long")
    async def long() -> None:
        await fails.wait()
        raise ValueError("no")

    queue = await life.queue(retry_delay="1h")
    body = {"type": "long", "queue": queue, "unique_key": f"{queue}-report"}
    first = await life.submit("long", queue, unique_key=f"{queue}-report")
    assert (await life.post("/jobs", body))["id"] == first
    await life.worker(app, queue)
    await life.until(first, "running")
    assert (await life.post("/jobs", body))["id"] == first
    fails.set()
    await life.until(first, "retrying")
    assert (await life.post("/jobs", body))["id"] == first
    await life.post(f"/jobs/{first}/cancel")
    assert (await life.post("/jobs", body, status=201))["id"] != first
