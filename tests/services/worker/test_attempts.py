"""What becomes of an attempt: whether another follows, and which of two counts."""

import asyncio

import orjson
import pytest

from gotask import v1
from gotask.jobs.states import DEAD, RETRYING, SUCCESS
from gotask.sdk import App, JobContext, Retry
from tests.services.worker.life import Life

pytestmark = pytest.mark.parametrize("life", ["memory"], indirect=True)

LATER = v1.RetryPolicy(max_retries=5, delay_us=3600_000_000, max_delay_us=3600_000_000)


async def test_exceptions_may_be_declared_as_not_to_be_retried(life: Life) -> None:
    """By the app, by the handler; a subclass counts, and Retry says otherwise."""
    app = App(no_retry_on=(PermissionError,))
    errors: dict[str, Exception] = {
        "app": PermissionError("of the app"),
        "handler": UnicodeError("a ValueError"),
        "retry": Retry("all the same", after="1h"),
        "other": OSError("not declared"),
    }

    @app.job("async", no_retry_on=(ValueError, Retry))
    async def coroutine(which: str) -> None:
        raise errors[which]

    @app.job("thread", no_retry_on=(ValueError,))
    def function(which: str) -> None:
        raise errors[which]

    await life.start_worker(app)
    states = {"app": DEAD, "handler": DEAD, "retry": RETRYING, "other": RETRYING}
    for job_type in ("async", "thread"):
        for which, state in states.items():
            job_id = await life.submit(job_type, orjson.dumps({"which": which}), retry=LATER)
            job = await life.in_state(job_id, state)
            assert [one.error.message for one in job.history.attempts] == [str(errors[which])]


async def test_an_exception_without_a_text_of_its_own_is_a_failure_like_others(life: Life) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    app = App()

    @app.job("mute")
    async def mute() -> None:
        raise Mute

    await life.start_worker(app)
    job = await life.ended(await life.submit("mute", retry=v1.RetryPolicy(max_retries=0)))
    error = job.history.attempts[0].error
    assert (error.type, error.message) == ("Mute", "its text cannot be had: RuntimeError")


async def test_an_attempt_ends_when_the_next_of_the_same_job_comes_to_the_same_worker(life: Life) -> None:
    """As it happens to a worker that was away for longer than a lease."""
    app = App()
    first_ended = asyncio.Event()

    @app.job("twice")
    async def twice(context: JobContext) -> int:
        if context.attempt == 1:
            try:
                await asyncio.sleep(60)
            finally:
                first_ended.set()
        return context.attempt

    await life.start_worker(app, heartbeat=30.0)
    job = await life.ended(await life.submit("twice", retry=v1.RetryPolicy(max_retries=1)))
    assert (job.state, job.result) == (SUCCESS, b"2")
    assert [one.outcome for one in job.history.attempts] == [v1.OUTCOME_LEASE_LOST, v1.OUTCOME_SUCCESS]
    await asyncio.wait_for(first_ended.wait(), 20)
