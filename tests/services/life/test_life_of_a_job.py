"""What becomes of a job, from submission to its end, through the real services."""

import asyncio
import threading
import time
from typing import Any

from gotask import v1
from gotask.bus.bus import Publication
from gotask.bus.subjects import Stream
from gotask.jobs.states import CANCELLED, DEAD, PENDING, RUNNING, SUCCESS
from gotask.sdk import App, JobContext, NoRetry, Retry
from tests.services.life.conftest import Life
from tests.support.waiting import wait_until

QUICK = v1.RetryPolicy(max_retries=2, strategy=v1.RETRY_STRATEGY_FIXED, delay_us=10_000)


async def cancel(life: Life, job_id: str) -> v1.JobStatuses:
    return await life.bus.command("cancel_jobs", v1.JobIds(ids=[job_id]), v1.JobStatuses)


async def test_handlers_on_the_loop_and_in_threads_give_results(life: Life) -> None:
    app = App()

    @app.job("add")
    async def add(a: int, b: int) -> int:
        return a + b

    @app.job("thread")
    def thread() -> str:
        return threading.current_thread().name

    await life.start_worker(app)
    added, threaded = await life.submit("add", b'{"a":1,"b":2}'), await life.submit("thread")
    assert (await life.ended(added)).result == b"3"
    job = await life.ended(threaded)
    assert job.state == SUCCESS
    assert job.result.startswith(b'"job')


async def test_a_failing_job_is_retried_and_keeps_its_history(life: Life) -> None:
    app = App()

    @app.job("flaky")
    async def flaky(context: JobContext) -> int:
        if context.attempt < 3:
            raise ConnectionError(f"attempt {context.attempt}")
        return context.attempt

    await life.start_worker(app)
    job = await life.ended(await life.submit("flaky", retry=QUICK))
    assert (job.state, job.result) == (SUCCESS, b"3")
    errors = [(one.error.type, one.error.message) for one in job.history.attempts]
    assert errors == [("ConnectionError", "attempt 1"), ("ConnectionError", "attempt 2"), ("", "")]
    assert "in flaky" in job.history.attempts[0].error.traceback


async def test_a_job_without_attempts_left_becomes_a_dead_letter(life: Life) -> None:
    app = App()

    @app.job("bad")
    def bad() -> None:
        raise ValueError("always")

    @app.job("hopeless")
    async def hopeless() -> None:
        raise NoRetry("give up")

    await life.start_worker(app)
    tried, gave_up = await life.submit("bad", retry=QUICK), await life.submit("hopeless", retry=QUICK)
    job = await life.ended(tried)
    assert (job.state, len(job.history.attempts)) == (DEAD, 3)
    job = await life.ended(gave_up)
    assert (job.state, len(job.history.attempts)) == (DEAD, 1)
    assert job.history.attempts[0].error.message == "give up"


async def test_a_handler_chooses_when_it_is_retried(life: Life) -> None:
    app = App()

    @app.job("later")
    async def later(context: JobContext) -> None:
        if context.attempt == 1:
            raise Retry(after="20ms")

    await life.start_worker(app)
    hour = v1.RetryPolicy(max_retries=1, delay_us=3600_000_000, max_delay_us=3600_000_000)
    assert (await life.ended(await life.submit("later", retry=hour))).state == SUCCESS


async def test_what_no_worker_can_run_fails_with_a_reason(life: Life) -> None:
    app = App()

    @app.job("known")
    async def known(number: int) -> object:
        return object() if number else None

    await life.start_worker(app)
    for job_type, payload, error in (
        ("unknown", b"", ("UnknownType", "this worker has no handler for 'unknown'; it knows known")),
        ("known", b'{"number":"x"}', ("InvalidPayload", "payload.number: ")),
        ("known", b'{"number":1}', ("InvalidResult", "the handler's return value is not JSON")),
    ):
        job = await life.ended(await life.submit(job_type, payload))
        assert job.state == DEAD
        told = job.history.attempts[-1].error
        assert told.type == error[0]
        assert told.message.startswith(error[1])


async def test_attempts_that_take_too_long_are_ended(life: Life) -> None:
    app = App()
    never = v1.RetryPolicy(max_retries=0)
    release = threading.Event()

    @app.job("async")
    async def slow() -> None:
        await asyncio.sleep(60)

    @app.job("thread")
    def slow_thread(context: JobContext) -> None:
        while not context.cancelled:
            release.wait(0.01)

    await life.start_worker(app)
    for job_type in ("async", "thread"):
        job = await life.ended(await life.submit(job_type, timeout_us=100_000, retry=never))
        assert job.state == DEAD
        assert job.history.attempts[0].error.type == "Timeout"
        assert job.history.attempts[0].error.message == "the attempt took longer than 100ms"


async def test_running_and_waiting_jobs_are_cancelled(life: Life) -> None:
    app = App()
    started = asyncio.Event()

    @app.job("long")
    async def long() -> None:
        started.set()
        await asyncio.sleep(60)

    await life.start_worker(app)
    running = await life.submit("long")
    await asyncio.wait_for(started.wait(), 20)
    waiting = await life.submit("long", scheduled_at_us=(time.time_ns() // 1000) + 3600_000_000)
    await wait_until(lambda: life.job(waiting), "the job is stored")
    for job_id in (running, waiting):
        assert (await cancel(life, job_id)).statuses[0].code == 0
        assert (await life.ended(job_id)).state == CANCELLED
    again = await cancel(life, running)
    assert (again.statuses[0].code, again.statuses[0].field) == (9, "id")


async def test_a_delayed_job_starts_when_it_is_due_and_not_before(life: Life) -> None:
    app = App()

    @app.job("echo")
    async def echo() -> None: ...

    await life.start_worker(app)
    due = time.time_ns() // 1000 + 500_000
    job = await life.ended(await life.submit("echo", scheduled_at_us=due))
    assert job.started_at_us >= due


async def test_a_stopping_worker_hands_back_what_it_cannot_finish(life: Life) -> None:
    app = App()
    starts: list[int] = []

    @app.job("long")
    async def long(context: JobContext) -> None:
        starts.append(context.attempt)
        if len(starts) == 1:
            await asyncio.sleep(60)

    first = await life.start_worker(app, grace=0.1)
    job_id = await life.submit("long")
    await life.in_state(job_id, RUNNING)
    await wait_until(lambda: starts, "the handler runs")
    await first.stop()
    await life.in_state(job_id, PENDING)
    await life.start_worker(app)
    job = await life.ended(job_id)
    assert (job.state, starts) == (SUCCESS, [1, 1])
    assert [one.outcome for one in job.history.attempts] == [v1.OUTCOME_RETURNED, v1.OUTCOME_SUCCESS]


async def test_a_silent_workers_job_goes_to_another_and_its_late_result_changes_nothing(life: Life) -> None:
    request = v1.ClaimRequest(worker="silent", queues=["default"], capacity=1, wait_us=5_000_000)
    asked = asyncio.create_task(
        life.bus.client.request(life.bus.subjects.claim, request.SerializeToString(), timeout=10)
    )
    job_id = await life.submit("echo")
    reply = v1.ClaimReply.FromString((await asked).data)
    assert (list(reply.attempts), list(reply.tries), reply.last) == ([1], [1], True)

    app = App()

    @app.job("echo")
    async def echo() -> str:
        return "the second"

    await life.start_worker(app)
    job = await life.ended(job_id)
    assert [one.outcome for one in job.history.attempts] == [v1.OUTCOME_LEASE_LOST, v1.OUTCOME_SUCCESS]

    stale = asyncio.Event()

    async def on_stale(_: Any) -> None:
        stale.set()

    await life.bus.subscribe(life.bus.subjects.event("default", v1.EVENT_KIND_STALE), on_stale)
    await life.bus.client.flush()
    late = v1.JobResult(job_id=job_id, queue="default", type="echo", result=b'"the first"')
    late.attempt.CopyFrom(v1.Attempt(attempt=1, worker="silent", outcome=v1.OUTCOME_SUCCESS))
    data = v1.JobResults(worker="silent", results=[late]).SerializeToString()
    await life.bus.publish_durable(Publication(life.bus.subjects.result, data, "late"))
    await asyncio.wait_for(stale.wait(), 20)
    after = await life.job(job_id)
    assert after is not None
    assert (after.result, after.attempt) == (b'"the second"', 2)


async def test_progress_is_seen_while_the_job_runs(life: Life) -> None:
    app = App()
    go_on = asyncio.Event()

    @app.job("long")
    async def long(context: JobContext) -> None:
        for percent in range(51):
            context.progress(percent, f"at {percent}")
        await go_on.wait()

    await life.start_worker(app)
    job_id = await life.submit("long")

    async def at_half() -> bool:
        job = await life.job(job_id)
        return job is not None and job.progress.percent == 50

    await wait_until(at_half, "progress arrives")
    go_on.set()
    assert (await life.ended(job_id)).state == SUCCESS


async def test_one_job_may_be_published_as_json(life: Life) -> None:
    app = App()

    @app.job("echo")
    async def echo(payload: Any) -> Any:
        return payload

    await life.start_worker(app)
    answers: asyncio.Queue[v1.SubmitReply] = asyncio.Queue()

    async def on_reply(message: Any) -> None:
        answers.put_nowait(v1.SubmitReply.FromString(message.data))

    inbox = life.bus.client.new_inbox()
    await life.bus.subscribe(inbox, on_reply)
    headers = {"Content-Type": "application/json", "Gotask-Reply-To": inbox}
    await life.bus.js.publish(life.bus.subjects.submit("default"), b'{"type":"echo","payload":[1]}', headers=headers)
    stored = (await asyncio.wait_for(answers.get(), 20)).results[0]
    assert (await life.ended(stored.spec.id)).result == b"[1]"


async def test_what_cannot_be_stored_is_rejected_with_the_reason(life: Life) -> None:
    await life.submit("no good", queue="default")
    headers = {"Content-Type": "application/json"}
    await life.bus.js.publish(life.bus.subjects.submit("default"), b'{"type":"a","nonsense":1}', headers=headers)
    stream = life.bus.subjects.stream(Stream.REJECTED)

    async def both() -> bool:
        return (await life.bus.js.stream_info(stream)).state.messages == 2

    await wait_until(both, "both are rejected")
    reasons = []
    for sequence in (1, 2):
        message = await life.bus.js.get_msg(stream, seq=sequence)
        reasons.append(v1.Rejected.FromString(message.data or b"").reason)
    assert any(reason.startswith("type: use 1 to 128") for reason in reasons)
    assert any(reason.startswith("nonsense: ") for reason in reasons)
