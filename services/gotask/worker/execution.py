"""Execution: runs the handler of each claimed job, and turns what it did into a result."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any

import orjson

from gotask import v1
from gotask.jobs.durations import format_us
from gotask.jobs.limits import MAX_RESULT_BYTES
from gotask.sdk.app import App, Handler
from gotask.sdk.context import JobContext
from gotask.sdk.errors import Cancelled, NoRetry, Retry
from gotask.service.clock import Clock
from gotask.service.logging import about
from gotask.service.telemetry import Telemetry
from gotask.worker.failures import describe, plain
from gotask.worker.running import Interruption, RunningJob

_SWEEP_S = 0.05


class InvalidResult(NoRetry):
    """What a handler returned is not JSON, or too much of it."""


class UnknownType(NoRetry):
    """A job came whose type has no handler here."""


class Executor:
    """Runs jobs, each in a task of its own.

    *on_result* is called once per job that ended, with its result (None when its lease is lost, and nobody wants one);
    *on_free* when its slot is free again, which for a thread that ignores its cancellation may be much later.
    """

    def __init__(
        self,
        app: App,
        clock: Clock,
        worker_id: str,
        concurrency: int,
        report: Callable[[str, v1.Progress], None],
        on_result: Callable[[RunningJob, v1.JobResult | None], None],
        on_free: Callable[[], None],
        telemetry: Telemetry,
    ) -> None:
        self._app = app
        self._clock = clock
        self._worker_id = worker_id
        self._report = report
        self._on_result = telemetry.at_end(on_result)
        self._run_traced = telemetry.around_attempt(self._run, lambda job: job.spec, worker_id)
        self._on_free = on_free
        self._loop = asyncio.get_running_loop()
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="job")
        self._running: set[RunningJob] = set()
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._sweeper = asyncio.create_task(self._sweep())

    async def stop(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    @property
    def running(self) -> set[RunningJob]:
        """Jobs whose handlers have not ended."""
        return self._running

    async def finished(self, timeout_s: float) -> None:
        """Waits until no handler runs, but not longer than *timeout_s* seconds."""
        tasks = [job.task for job in self._running if job.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=timeout_s)

    def start_job(self, spec: v1.JobSpec, attempt: int, tries: int) -> RunningJob:
        """Starts the handler for a claimed job."""
        started_at_us = self._clock.now_us()
        context = JobContext(spec, tries, started_at_us + spec.timeout_us, self._report)
        job = RunningJob(spec, spec.id, attempt, context, started_at_us)
        self._running.add(job)
        job.task = self._loop.create_task(self._run_traced(job))
        return job

    async def _run(self, job: RunningJob) -> None:
        about.set(job.about)
        spec = job.spec
        job_type = spec.type
        result = v1.JobResult(job_id=job.job_id, queue=spec.queue, type=job_type)
        free = self._on_free
        try:
            handler = self._handler(job_type)
            arguments = handler.binder.bind(_payload(spec), job.context)
            if handler.is_async:
                value = await handler.function(**arguments)
            else:
                thread = self._threads.submit(copy_context().run, partial(handler.function, **arguments))
                free = _nothing
                thread.add_done_callback(self._freed_by_thread)
                value = await asyncio.wrap_future(thread)
            if job.interruption is None:
                result.result = _encode(value)
                outcome = v1.OUTCOME_SUCCESS
            else:
                outcome = self._interrupted(job, result)
        except BaseException as error:  # SystemExit of a handler must not end the worker
            outcome = self._failed(job, result, error)
        job.ended = True
        self._running.discard(job)
        attempt = result.attempt
        attempt.attempt = job.attempt
        attempt.worker = self._worker_id
        attempt.started_at_us = job.started_at_us
        attempt.finished_at_us = self._clock.now_us()
        attempt.outcome = outcome
        self._on_result(job, None if job.interruption is Interruption.LEASE_LOST else result)
        free()

    def _freed_by_thread(self, _: Any) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._on_free)

    def _failed(self, job: RunningJob, result: v1.JobResult, error: BaseException) -> v1.Outcome.ValueType:
        if job.interruption is not None:
            return self._interrupted(job, result)
        if isinstance(error, Cancelled):
            return v1.OUTCOME_CANCELLED
        result.attempt.error.CopyFrom(describe(error))
        if isinstance(error, NoRetry):
            result.no_retry = True
        elif isinstance(error, Retry):
            result.retry_after_us = error.after_us
        return v1.OUTCOME_FAILURE

    def _interrupted(self, job: RunningJob, result: v1.JobResult) -> v1.Outcome.ValueType:
        """Whatever the handler made of it, the attempt ended as its interruption says."""
        if job.interruption is Interruption.TIMEOUT:
            limit = format_us(job.spec.timeout_us)
            result.attempt.error.CopyFrom(plain("Timeout", f"the attempt took longer than {limit}"))
            return v1.OUTCOME_FAILURE
        if job.interruption is Interruption.RETURNED:
            return v1.OUTCOME_RETURNED
        return v1.OUTCOME_CANCELLED

    def _handler(self, job_type: str) -> Handler:
        handler = self._app.handler(job_type)
        if handler is None:
            known = ", ".join(self._app.types) or "none"
            raise UnknownType(f"this worker has no handler for {job_type!r}; it knows {known}")
        return handler

    async def _sweep(self) -> None:
        """One timer for all attempts instead of one each."""
        while True:
            await asyncio.sleep(_SWEEP_S)
            now_us = self._clock.now_us()
            late = [job for job in self._running if job.spec.timeout_us and job.context.deadline_us <= now_us]
            for job in late:
                job.interrupt(Interruption.TIMEOUT)


def _nothing() -> None:
    return


def _payload(spec: v1.JobSpec) -> Any:
    return orjson.loads(spec.payload) if spec.payload else None


def _encode(value: Any) -> bytes:
    if value is None:
        return b""
    try:
        data = orjson.dumps(value, default=_jsonable)
    except (TypeError, ValueError) as error:
        raise InvalidResult(f"the handler's return value is not JSON: {error}") from None
    if len(data) > MAX_RESULT_BYTES:
        raise InvalidResult(f"the handler returned {len(data)} bytes of JSON; the limit is {MAX_RESULT_BYTES}")
    return data


def _jsonable(value: Any) -> Any:
    dump = getattr(value, "model_dump", None)
    if dump is None:
        raise TypeError(f"{type(value).__name__} has no JSON form")
    return dump(mode="json")
