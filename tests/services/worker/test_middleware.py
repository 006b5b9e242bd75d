"""Middleware: what an app has around its jobs, and what comes of errors in it."""

import asyncio
import threading
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import orjson
import pytest

from gotask import v1
from gotask.jobs.states import DEAD, RETRYING, SUCCESS
from gotask.sdk import App, JobContext, Middleware, NoRetry, RemoteError, Retry
from gotask.sdk.loading import load_app
from tests.services.worker import handlers
from tests.services.worker.conftest import Mark
from tests.services.worker.life import Life
from tests.support.waiting import wait_until

pytestmark = pytest.mark.parametrize("life", ["memory"], indirect=True)

ONCE = v1.RetryPolicy(max_retries=0)
LATER = v1.RetryPolicy(max_retries=5, delay_us=3600_000_000, max_delay_us=3600_000_000)

session: ContextVar[str] = ContextVar("session", default="none")


class Diary(Middleware):
    """Writes down what happens."""

    def __init__(self, name: str, entries: list[str]) -> None:
        self.name = name
        self.entries = entries

    def before_job(self, context: JobContext) -> None:
        self.entries.append(f"{self.name} before {context.type}")

    async def after_job(self, context: JobContext, result: Any, error: BaseException | None) -> None:
        self.entries.append(
            f"{self.name} after {context.type}: {error!r}" if error else f"{self.name} after {context.type}: {result!r}"
        )

    def on_failure(self, context: JobContext, error: BaseException) -> None:
        self.entries.append(f"{self.name} failure of {context.type}: {error}")


async def run(life: Life, job_type: str, payload: Any = None, **fields: Any) -> v1.Job:
    return await life.ended(await life.submit(job_type, orjson.dumps(payload), **{"retry": ONCE, **fields}))


async def test_hooks_run_around_jobs_the_closing_ones_in_reverse(life: Life) -> None:
    entries: list[str] = []
    app = App(middleware=[Diary("outer", entries), Diary("inner", entries)])

    @app.job("add")
    async def add(a: int, b: int) -> int:
        entries.append("handler")
        return a + b

    await life.start_worker(app)
    assert (await run(life, "add", {"a": 1, "b": 2})).result == b"3"
    assert entries == ["outer before add", "inner before add", "handler", "inner after add: 3", "outer after add: 3"]


async def test_a_failure_is_told_whatever_its_cause(life: Life) -> None:
    entries: list[str] = []
    app = App(middleware=[Diary("it", entries)])

    @app.job("broken")
    def broken() -> None:
        raise OSError("no disk")

    @app.job("slow")
    async def slow() -> None:
        await asyncio.sleep(60)

    await life.start_worker(app)
    await run(life, "broken")
    await run(life, "slow", timeout_us=100_000)
    await run(life, "slow", {"unknown": 1})
    assert entries == [
        "it before broken",
        "it after broken: OSError('no disk')",
        "it failure of broken: no disk",
        "it before slow",
        "it after slow: CancelledError()",
        "it failure of slow: the attempt took longer than 100ms",
        "it failure of slow: payload.unknown: is not known; the handler takes no members",
    ]


async def test_hooks_share_the_place_of_their_handler(life: Life) -> None:
    """So a context variable, or what a library keeps per thread, can be set for the handler."""

    class Sessions(Middleware):
        def before_job(self, context: JobContext) -> None:
            session.set(f"{context.job_id} in {threading.current_thread().name}")

    app = App(middleware=[Sessions()])

    @app.job("on.loop")
    async def on_loop() -> str:
        return session.get()

    @app.job("in.thread")
    def in_thread() -> str:
        return session.get()

    await life.start_worker(app)
    for job_type, thread in {"on.loop": threading.current_thread().name, "in.thread": "job-handler"}.items():
        job = await run(life, job_type)
        assert job.result.decode().startswith(f'"{job.spec.id} in {thread}')


async def test_errors_of_middleware_lose_no_job(life: Life) -> None:
    class Broken(Middleware):
        def before_job(self, context: JobContext) -> None:
            raise RuntimeError("in before_job")

        async def after_job(self, context: JobContext, result: Any, error: BaseException | None) -> None:
            raise RuntimeError("in after_job")

        def on_failure(self, context: JobContext, error: BaseException) -> None:
            raise RuntimeError("in on_failure")

        async def before_worker_start(self, worker_id: str) -> None:
            raise RuntimeError("in before_worker_start")

    app = App(middleware=[Broken()])

    @app.job("async")
    async def coroutine() -> int:
        return 1

    @app.job("thread")
    def function() -> int:
        return 2

    @app.job("fails")
    async def fails() -> None:
        raise ValueError("as it does")

    await life.start_worker(app)
    assert [(await run(life, job_type)).result for job_type in ("async", "thread")] == [b"1", b"2"]
    assert (await run(life, "fails")).history.attempts[0].error.message == "as it does"


async def test_before_job_may_decide_that_the_handler_does_not_run(life: Life) -> None:
    class Gate(Middleware):
        def before_job(self, context: JobContext) -> None:
            if context.metadata["decision"] == "later":
                raise Retry("the gate is closed", after="30s")
            raise NoRetry("the gate is gone")

    app = App(middleware=[Gate()])
    ran: list[str] = []

    @app.job("guarded")
    async def guarded(context: JobContext) -> None:
        ran.append(context.job_id)

    await life.start_worker(app)
    later = await life.submit("guarded", metadata={"decision": "later"}, retry=LATER)
    assert (await life.in_state(later, RETRYING)).history.attempts[0].error.message == "the gate is closed"
    assert (await run(life, "guarded", metadata={"decision": "never"}, retry=LATER)).state == DEAD
    assert ran == []


async def test_a_worker_tells_of_its_start_and_stop(life: Life) -> None:
    entries: list[str] = []

    class Announcer(Middleware):
        def after_process_start(self) -> None:
            entries.append("process started")

        async def before_worker_start(self, worker_id: str) -> None:
            entries.append(f"{worker_id} starts")

        def after_worker_start(self, worker_id: str) -> None:
            entries.append(f"{worker_id} started")

        async def before_worker_stop(self, worker_id: str) -> None:
            entries.append(f"{worker_id} stops")

        def after_worker_stop(self, worker_id: str) -> None:
            entries.append(f"{worker_id} stopped")

        def before_process_end(self) -> None:
            entries.append("process ends")

    worker = await life.start_worker(App(middleware=[Announcer()]), worker_id="w")
    await worker.stop()
    assert entries == ["process started", "w starts", "w started", "w stops", "w stopped", "process ends"]


async def test_an_included_app_keeps_its_own_middleware(life: Life) -> None:
    entries: list[str] = []
    app, other = App(middleware=[Diary("app", entries)]), App(middleware=[Diary("other", entries)])

    @app.job("of.app")
    async def of_app() -> None: ...

    @other.job("of.other")
    async def of_other() -> None: ...

    app.include(other)
    await life.start_worker(app)
    await run(life, "of.app")
    await run(life, "of.other")
    assert [entry.split()[0] for entry in entries] == ["app", "app", "other", "other"]


async def test_hooks_of_a_process_handler_run_in_its_process(life: Life, mark: Mark) -> None:
    """Those of the job and of the process do; on_failure runs in the worker, which alone survives a crash."""
    app = load_app("tests.services.worker.handlers:observed")
    await life.start_worker(app, pool_size=1)
    diary = {"diary": mark.path}
    job = await run(life, "observed", metadata=diary)
    child = orjson.loads(job.result)
    assert job.state == SUCCESS
    await run(life, "observed", {"how": "raise"}, metadata=diary)
    await run(life, "observed", {"how": "crash"}, metadata=diary)
    await wait_until(lambda: len(_lines(mark)) == 5, "all hooks have run")
    assert _lines(mark) == [
        f"{child} process_started=True before observed",
        f"{child} after {child} None",
        f"{child} process_started=True before observed",
        f"{child} after None wrong",
        f"{child} process_started=True before observed",
    ]
    raised, crashed = handlers.failures
    assert isinstance(raised, RemoteError)
    assert (raised.error_type, raised.message) == ("ValueError", "wrong")
    assert type(crashed).__name__ == "ProcessCrashed"


def _lines(mark: Mark) -> list[str]:
    return Path(mark.path).read_text().splitlines()
