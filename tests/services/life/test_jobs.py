"""Jobs: the way from submission to result, and what a handler is given."""

import asyncio
import threading
from typing import Any

import pytest

from gotask.jobs.ids import is_id
from gotask.jobs.limits import MAX_RESULT_BYTES
from gotask.sdk import App, JobContext
from tests.services.life.town import Life, outcomes, seconds
from tests.support.waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_job_waits_runs_and_ends_in_success_with_its_result(life: Life) -> None:
    app = App()
    go_on = asyncio.Event()

    @app.job("add")
    async def add(a: int, b: int) -> int:
        await go_on.wait()
        return a + b

    queue = await life.queue()
    job_id = await life.submit("add", queue, payload={"a": 1, "b": 2})
    assert is_id(job_id)
    waiting = await life.job(job_id)
    assert (waiting["status"], waiting["attempts"], waiting["worker"]) == ("pending", 0, None)
    await life.worker(app, queue, worker_id="adder")
    running = await life.until(job_id, "running")
    assert (running["attempts"], running["worker"], running["finished_at"]) == (1, "adder", None)
    go_on.set()
    ended = await life.ended(job_id)
    assert (ended["status"], ended["result"], ended["error"]) == ("success", 3, None)
    assert seconds(ended["finished_at"], ended["started_at"]) >= 0 <= seconds(ended["started_at"], ended["created_at"])


async def test_any_json_goes_in_and_comes_out(life: Life) -> None:
    app = App()

    @app.job("echo")
    async def echo(payload: Any) -> Any:
        return payload

    queue = await life.queue()
    await life.worker(app, queue)
    payloads = (None, True, 0, -1.5, "text", [1, [2]], {"a": {"b": [None]}}, "\u2028 é \U0001f600")
    ids = await life.submit_all([{"type": "echo", "queue": queue, "payload": payload} for payload in payloads])
    for job_id, payload in zip(ids, payloads, strict=True):
        job = await life.ended(job_id)
        assert (job["status"], job["payload"], job["result"]) == ("success", payload, payload)


async def test_plain_functions_run_in_threads(life: Life) -> None:
    app = App()

    @app.job("thread")
    def thread() -> bool:
        return threading.current_thread() is threading.main_thread()

    queue = await life.queue()
    await life.worker(app, queue)
    assert (await life.ended(await life.submit("thread", queue)))["result"] is False


async def test_a_handler_knows_its_job(life: Life) -> None:
    app = App()

    @app.job("curious")
    async def curious(context: JobContext) -> dict[str, Any]:
        return {
            "id": context.job_id,
            "type": context.type,
            "queue": context.queue,
            "attempt": context.attempt,
            "max_attempts": context.max_attempts,
            "metadata": dict(context.metadata),
            "tags": list(context.tags),
        }

    queue = await life.queue()
    await life.worker(app, queue)
    job_id = await life.submit("curious", queue, max_retries=4, metadata={"tenant": "a"}, tags=["x", "y"])
    job = await life.ended(job_id)
    assert job["result"] == {
        "id": job_id,
        "type": "curious",
        "queue": queue,
        "attempt": 1,
        "max_attempts": 5,
        "metadata": {"tenant": "a"},
        "tags": ["x", "y"],
    }
    found = (await life.call("GET", f"/jobs?queue={queue}&tag=x"))["items"]
    assert [each["id"] for each in found] == [job_id]


async def test_a_payload_that_does_not_fit_fails_with_the_field_and_the_reason(life: Life) -> None:
    app = App()

    @app.job("typed")
    async def typed(number: int) -> None: ...

    queue = await life.queue()
    await life.worker(app, queue)
    job = await life.ended(await life.submit("typed", queue, payload={"number": "many"}))
    assert (job["status"], len(job["history"]), job["error"]["type"]) == ("dead", 1, "InvalidPayload")
    assert job["error"]["message"].startswith("payload.number: ")


async def test_a_result_that_is_no_json_fails_with_the_reason(life: Life) -> None:
    app = App()

    @app.job("wrong")
    async def wrong() -> object:
        return object()

    queue = await life.queue()
    await life.worker(app, queue)
    job = await life.ended(await life.submit("wrong", queue))
    assert (job["status"], job["error"]["type"]) == ("dead", "InvalidResult")


async def test_a_result_that_is_too_large_fails_with_the_reason(life: Life) -> None:
    app = App()

    @app.job("talk")
    async def talk(length: int) -> str:
        return "x" * length

    quotes = 2
    queue = await life.queue()
    await life.worker(app, queue)
    fits = await life.submit("talk", queue, payload={"length": MAX_RESULT_BYTES - quotes})
    does_not = await life.submit("talk", queue, payload={"length": MAX_RESULT_BYTES - quotes + 1})
    assert (await life.ended(fits))["status"] == "success"
    job = await life.ended(does_not)
    assert (job["status"], job["error"]["type"], len(job["history"])) == ("dead", "InvalidResult", 1)
    assert str(MAX_RESULT_BYTES) in job["error"]["message"]


async def test_a_stopping_worker_hands_back_what_it_cannot_finish_and_uses_up_no_attempt(life: Life) -> None:
    app = App()
    tries: list[int] = []

    @app.job("long")
    async def long(context: JobContext) -> None:
        tries.append(context.attempt)
        if len(tries) == 1:
            await asyncio.sleep(60)

    queue = await life.queue(max_retries=0)
    first = await life.worker(app, queue)
    job_id = await life.submit("long", queue)
    await wait_until(lambda: tries, "the handler runs")
    await first.stop()
    await life.until(job_id, "pending")
    await life.worker(app, queue)
    job = await life.ended(job_id)
    assert (job["status"], job["attempts"], outcomes(job), tries) == ("success", 1, ["returned", "success"], [1, 1])


async def test_the_figures_of_a_queue_count_what_became_of_its_jobs(life: Life) -> None:
    app = App()

    @app.job("quick")
    async def quick() -> None: ...

    @app.job("fail")
    async def fail() -> None:
        raise ValueError("no")

    queue = await life.queue(max_retries=0)
    await life.worker(app, queue)
    jobs = [await life.submit("quick", queue), await life.submit("quick", queue), await life.submit("fail", queue)]
    for job_id in jobs:
        await life.ended(job_id)
    stats = await life.stats(queue)
    counted = {name: stats[name] for name in ("completed_jobs", "failed_jobs", "dead", "pending_jobs", "running_jobs")}
    assert counted == {"completed_jobs": 2, "failed_jobs": 1, "dead": 1, "pending_jobs": 0, "running_jobs": 0}
    assert stats["throughput_per_min"] == 3


async def test_what_happens_to_jobs_is_counted_for_prometheus(life: Life) -> None:
    app = App()

    @app.job("flaky")
    async def flaky(context: JobContext) -> None:
        if context.attempt == 1:
            raise ValueError("no")

    queue = await life.queue()
    await life.worker(app, queue)
    await life.ended(await life.submit("flaky", queue))

    async def counted() -> bool:
        return await life.metric("taskqueue_jobs_completed_total", queue=queue, status="success") == 1

    await wait_until(counted, "the success is counted")
    assert await life.metric("taskqueue_jobs_created_total", queue=queue, type="flaky") == 1
    assert await life.metric("taskqueue_jobs_failed_total", queue=queue, type="flaky") == 1
    assert await life.metric("taskqueue_jobs_retried_total", queue=queue) == 1
