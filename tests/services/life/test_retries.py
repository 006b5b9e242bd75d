"""Retries: when a failed job runs again, how often, and what is remembered of each attempt."""

from itertools import pairwise

import pytest

from gotask.sdk import App, JobContext, NoRetry, Retry
from tests.services.life.town import Life, outcomes, seconds

pytestmark = pytest.mark.asyncio(loop_scope="session")


def failing_app() -> App:
    app = App()

    @app.job("fail")
    async def fail(context: JobContext) -> None:
        raise ConnectionError(f"try {context.attempt}")

    @app.job("flaky")
    async def flaky(context: JobContext, good_at: int) -> int:
        if context.attempt < good_at:
            raise ConnectionError(f"try {context.attempt}")
        return context.attempt

    @app.job("hopeless")
    async def hopeless() -> None:
        raise NoRetry("there is no such customer")

    @app.job("later")
    async def later(context: JobContext) -> None:
        if context.attempt == 1:
            raise Retry("busy", after="50ms")

    return app


async def delays(life: Life, queue: str, max_retries: int, **policy: object) -> list[float]:
    """Seconds from each failure to the next try."""
    job = await life.ended(await life.submit("fail", queue, max_retries=max_retries, **policy))
    assert len(job["history"]) == max_retries + 1
    return [seconds(after["started_at"], before["finished_at"]) for before, after in pairwise(job["history"])]


def assert_about(found: list[float], expected: list[float]) -> None:
    """No try comes early; on a busy machine it may come seconds late."""
    assert all(0 <= delay - wanted < 5 for delay, wanted in zip(found, expected, strict=True)), found


async def test_exponential_delays_double(life: Life) -> None:
    queue = await life.queue()
    await life.worker(failing_app(), queue)
    policy = {"retry_strategy": "exponential", "retry_delay": "100ms"}
    assert_about(await delays(life, queue, 4, **policy), [0.1, 0.2, 0.4, 0.8])


async def test_linear_delays_grow_evenly(life: Life) -> None:
    queue = await life.queue()
    await life.worker(failing_app(), queue)
    policy = {"retry_strategy": "linear", "retry_delay": "100ms"}
    assert_about(await delays(life, queue, 4, **policy), [0.1, 0.2, 0.3, 0.4])


async def test_fixed_delays_stay_the_same(life: Life) -> None:
    queue = await life.queue()
    await life.worker(failing_app(), queue)
    policy = {"retry_strategy": "fixed", "retry_delay": "100ms"}
    assert_about(await delays(life, queue, 8, **policy), [0.1] * 8)


async def test_no_delay_is_longer_than_the_longest_one(life: Life) -> None:
    queue = await life.queue()
    await life.worker(failing_app(), queue)
    policy = {"retry_strategy": "exponential", "retry_delay": "100ms", "max_retry_delay": "150ms"}
    assert_about(await delays(life, queue, 8, **policy), [0.1] + [0.15] * 7)


async def test_jitter_spreads_the_delays_evenly_around_the_planned_one(life: Life) -> None:
    queue = await life.queue(retry_strategy="fixed", retry_delay="100s", retry_jitter=0.5)
    await life.worker(failing_app(), queue)
    ids = await life.submit_all([{"type": "fail", "queue": queue}] * 30)
    jobs = [await life.until(job_id, "retrying") for job_id in ids]
    planned = [seconds(job["due_at"], job["history"][0]["finished_at"]) for job in jobs]
    assert all(50 <= delay < 155 for delay in planned)
    assert min(planned) < 85 < 115 < max(planned)


async def test_a_job_runs_once_and_then_as_often_as_it_may_be_retried(life: Life) -> None:
    queue = await life.queue()
    await life.worker(failing_app(), queue)
    for retries in (0, 1, 3):
        job = await life.ended(await life.submit("fail", queue, max_retries=retries))
        assert (job["status"], job["attempts"], len(job["history"])) == ("dead", 1 + retries, 1 + retries)


async def test_what_a_job_says_of_retries_counts_before_what_its_queue_says(life: Life) -> None:
    queue = await life.queue(max_retries=1, retry_strategy="linear", retry_delay="1ms", max_retry_delay="1h")
    await life.worker(failing_app(), queue)
    of_queue, of_job = await life.submit("fail", queue), await life.submit("fail", queue, max_retries=2)
    assert ((await life.ended(of_queue))["attempts"], (await life.ended(of_job))["attempts"]) == (2, 3)
    part = await life.job(await life.submit("fail", queue, retry_delay="7s", delay="1h"))
    told = [part[field] for field in ("max_retries", "retry_strategy", "retry_delay", "max_retry_delay")]
    assert told == [1, "linear", "7s", "1h"]


async def test_each_attempt_is_remembered_with_its_worker_its_times_and_its_error(life: Life) -> None:
    queue = await life.queue()
    await life.worker(failing_app(), queue, worker_id="rememberable")
    job = await life.ended(await life.submit("flaky", queue, payload={"good_at": 3}))
    assert (job["status"], job["result"], outcomes(job)) == ("success", 3, ["failure", "failure", "success"])
    for number, attempt in enumerate(job["history"], 1):
        assert (attempt["attempt"], attempt["worker"]) == (number, "rememberable")
        assert seconds(attempt["finished_at"], attempt["started_at"]) >= 0
    first, _, last = job["history"]
    assert (first["error"]["type"], first["error"]["message"], last["error"]) == ("ConnectionError", "try 1", None)
    assert "in flaky" in first["error"]["traceback"]
    assert "raise ConnectionError" in first["error"]["traceback"]


async def test_long_errors_are_cut(life: Life) -> None:
    app = App()

    @app.job("long")
    async def long() -> None:
        raise ValueError("x" * 100_000)

    queue = await life.queue(max_retries=0)
    await life.worker(app, queue)
    error = (await life.ended(await life.submit("long", queue)))["error"]
    assert len(error["message"]) < 5_000
    assert len(error["traceback"]) < 20_000


async def test_a_handler_says_when_it_is_tried_again(life: Life) -> None:
    queue = await life.queue(retry_delay="1h")
    await life.worker(failing_app(), queue)
    job = await life.ended(await life.submit("later", queue))
    assert (job["status"], outcomes(job)) == ("success", ["failure", "success"])
    assert seconds(job["history"][1]["started_at"], job["history"][0]["finished_at"]) >= 0.05


async def test_a_retry_that_a_handler_asks_for_uses_up_an_attempt(life: Life) -> None:
    queue = await life.queue()
    await life.worker(failing_app(), queue)
    assert (await life.ended(await life.submit("later", queue, max_retries=0)))["status"] == "dead"


async def test_a_handler_says_that_no_retry_helps(life: Life) -> None:
    queue = await life.queue()
    await life.worker(failing_app(), queue)
    job = await life.ended(await life.submit("hopeless", queue, max_retries=5))
    assert (job["status"], outcomes(job)) == ("dead", ["failure"])
    assert (job["error"]["type"], job["error"]["message"]) == ("NoRetry", "there is no such customer")


async def test_a_type_that_nobody_knows_fails_at_once_and_is_told_the_known_ones(life: Life) -> None:
    queue = await life.queue()
    await life.worker(failing_app(), queue)
    job = await life.ended(await life.submit("unknown", queue, max_retries=5))
    assert (job["status"], len(job["history"]), job["error"]["type"]) == ("dead", 1, "UnknownType")
    assert job["error"]["message"].endswith("it knows fail, flaky, hopeless, later")


async def test_a_job_that_is_retried_by_hand_has_all_attempts_before_it_and_keeps_its_history(life: Life) -> None:
    queue = await life.queue()
    await life.worker(failing_app(), queue)
    job_id = await life.submit("fail", queue, max_retries=1)
    await life.ended(job_id)
    await life.post(f"/jobs/{job_id}/retry")
    job = await life.until(job_id, "dead", lambda job: len(job["history"]) == 4)
    assert [attempt["error"]["message"] for attempt in job["history"]] == ["try 1", "try 2", "try 1", "try 2"]
    assert [attempt["attempt"] for attempt in job["history"]] == [1, 2, 3, 4]
    assert job["attempts"] == 2


async def test_only_what_failed_died_expired_or_was_cancelled_is_retried_by_hand(life: Life) -> None:
    queue = await life.queue()
    waiting = await life.submit("flaky", queue, payload={"good_at": 1})
    await life.post(f"/jobs/{waiting}/retry", status=409)
    await life.worker(failing_app(), queue)
    await life.ended(waiting)
    await life.post(f"/jobs/{waiting}/retry", status=409)
