"""Execution: runs the handler of each claimed job, and turns what it did into a result."""

import asyncio
from collections.abc import Callable

import structlog

from gotask import v1
from gotask.jobs.durations import format_us
from gotask.sdk.app import App, Handler
from gotask.sdk.attempt.failures import judge, plain
from gotask.sdk.attempt.hooks import JobHooks
from gotask.sdk.attempt.payloads import encode_result
from gotask.sdk.context import JobContext
from gotask.sdk.errors import NoRetry, Timeout
from gotask.service.clock import Clock
from gotask.service.logging import about
from gotask.service.telemetry import Telemetry
from gotask.worker.about import FailureLog
from gotask.worker.calls import Call, Threads, call_in_process, call_on_loop
from gotask.worker.pool.pool import ProcessPool
from gotask.worker.running import Interruption, RunningJob

_log = structlog.get_logger("gotask.worker")

_SWEEP_S = 0.05
_TIDY_UP_S = 3.0

THREAD_PREFIX = "job-handler"
"""What the names of threads that run handlers begin with."""


class UnknownType(NoRetry):
    """A job came whose type has no handler here."""


class Executor:
    """Runs jobs, each in a task of its own; those with ``process=True`` in *pool*.

    *on_result* is called once per job that ended, with its result (None when its lease is lost, and nobody wants one);
    *on_free* when its slot is free again, which for a handler that ignores its interruption may be much later.
    """

    def __init__(
        self,
        app: App,
        clock: Clock,
        worker_id: str,
        concurrency: int,
        pool: ProcessPool | None,
        report: Callable[[str, v1.Progress], None],
        on_result: Callable[[RunningJob, v1.JobResult | None], None],
        on_free: Callable[[], None],
        failures: FailureLog,
        telemetry: Telemetry,
    ) -> None:
        self._app = app
        self._clock = clock
        self._worker_id = worker_id
        self._pool = pool
        self._report = report
        self._on_result = telemetry.at_end(on_result)
        self._run_traced = telemetry.around_attempt(self._run, lambda job: job.spec, worker_id)
        self._on_free = on_free
        self._failures = failures
        self._loop = asyncio.get_running_loop()
        self._threads = Threads(concurrency, THREAD_PREFIX, on_free)
        self._hooks = {handler.type: JobHooks(handler.middleware) for handler in app.handlers}
        self._calls = {handler.type: self._call(handler) for handler in app.handlers}
        self._running: set[RunningJob] = set()
        self._sweeper: asyncio.Task[None] | None = None
        self._background: set[asyncio.Task[None]] = set()

    def _call(self, handler: Handler) -> Call:
        if handler.in_process:
            if self._pool is None:
                raise ValueError(f"the handler for {handler.type!r} runs in a process, and there is no pool")
            return call_in_process(self._pool, self._clock)
        hooks = self._hooks[handler.type]
        return call_on_loop(handler, hooks) if handler.is_async else self._threads.call(handler, hooks)

    async def start(self) -> None:
        if self._pool is not None:
            await self._pool.start()
        self._sweeper = asyncio.create_task(self._sweep())

    async def stop(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
        self._threads.stop()
        if self._pool is not None:
            await self._pool.stop()

    @property
    def running(self) -> set[RunningJob]:
        """Jobs whose attempts have not ended."""
        return self._running

    async def finished(self, timeout_s: float, or_when: asyncio.Event) -> None:
        """Waits until no job runs, but not longer than *timeout_s* seconds, nor when *or_when* is set."""
        tasks = [job.task for job in self._running if job.task is not None]
        if not tasks:
            return
        enough = asyncio.create_task(or_when.wait())
        all_ended = asyncio.create_task(asyncio.wait(tasks))
        await asyncio.wait([all_ended, enough], timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        all_ended.cancel()
        enough.cancel()

    def start_job(self, spec: v1.JobSpec, attempt: int, tries: int) -> RunningJob:
        """Starts the handler for a claimed job."""
        started_at_us = self._clock.now_us()
        context = JobContext(spec, tries, started_at_us + spec.timeout_us, self._report)
        job = RunningJob(spec, spec.id, attempt, context, started_at_us)
        self._running.add(job)
        job.task = self._loop.create_task(self._run_traced(job))
        return job

    def interrupt(self, job: RunningJob, why: Interruption) -> None:
        """Ends an attempt: at once, or when its handler has tidied up, or has had its time to do so."""
        if job.interrupt(why):
            self._loop.call_later(_TIDY_UP_S, self._look_after, job)

    async def _run(self, job: RunningJob) -> None:
        about.set(job.about)
        spec = job.spec
        job_type = spec.type
        result = v1.JobResult(job_id=job.job_id, queue=spec.queue, type=job_type)
        error: BaseException | None = None
        try:
            job.begin()
            call = self._calls.get(job_type) or self._refuse
            result.result = encode_result(await call(job))
        except BaseException as raised:  # SystemExit of a handler must not end the worker
            error = raised
        if not job.ended:
            job.ended = True
            if error is None and job.interruption is None:
                outcome = v1.OUTCOME_SUCCESS
            else:
                outcome = await self._explain(job, result, error)
                error = None  # its traceback holds this frame
            self._tell(job, result, outcome)
        if job.thread is None:
            self._on_free()

    def _tell(self, job: RunningJob, result: v1.JobResult, outcome: v1.Outcome.ValueType) -> None:
        self._running.discard(job)
        attempt = result.attempt
        attempt.attempt = job.attempt
        attempt.worker = self._worker_id
        attempt.started_at_us = job.started_at_us
        attempt.finished_at_us = self._clock.now_us()
        attempt.outcome = outcome
        self._on_result(job, None if job.interruption is Interruption.LEASE_LOST else result)

    async def _explain(
        self, job: RunningJob, result: v1.JobResult, error: BaseException | None
    ) -> v1.Outcome.ValueType:
        """Writes into *result* why the attempt was no success; its outcome.

        Whatever the handler made of an interruption, the attempt ended as that says.
        """
        result.ClearField("result")
        handler = self._app.handler(job.spec.type)
        if job.interruption is Interruption.TIMEOUT:
            error = Timeout(f"the attempt took longer than {format_us(job.spec.timeout_us)}")
            result.attempt.outcome = v1.OUTCOME_FAILURE
            result.attempt.error.CopyFrom(plain("Timeout", str(error)))
        elif job.interruption is not None:
            returned = job.interruption is Interruption.RETURNED
            return v1.OUTCOME_RETURNED if returned else v1.OUTCOME_CANCELLED
        elif error is not None:
            judge(result, error, handler.no_retry_on if handler is not None else ())
        if result.attempt.outcome == v1.OUTCOME_FAILURE:
            self._failures.tell(job, result.attempt.error)
            if handler is not None and error is not None:
                await self._hooks[handler.type].failed(job.context, error)
        return result.attempt.outcome

    def _look_after(self, job: RunningJob) -> None:
        """The time that an interrupted handler had to tidy up is over."""
        handler = self._app.handler(job.spec.type)
        where = {
            "job_id": job.job_id,
            "type": job.spec.type,
            "interrupted_by": job.interruption and job.interruption.value,
        }
        if job.thread is not None:
            if not job.thread.done():
                _log.warning("a thread goes on after its attempt has ended; its slot is taken until it ends", **where)
        elif not job.ended and handler is not None and not handler.in_process:
            _log.warning("a coroutine ignores its cancellation; its slot is taken until it ends", **where)
            job.ended = True
            self._background.add(giving_up := self._loop.create_task(self._give_up(job)))
            giving_up.add_done_callback(self._background.discard)
            self._ask_again(job)

    async def _give_up(self, job: RunningJob) -> None:
        result = v1.JobResult(job_id=job.job_id, queue=job.spec.queue, type=job.spec.type)
        self._tell(job, result, await self._explain(job, result, None))

    def _ask_again(self, job: RunningJob) -> None:
        if job.task is not None and not job.task.done():
            job.task.cancel()
            self._loop.call_later(_TIDY_UP_S, self._ask_again, job)

    async def _refuse(self, job: RunningJob) -> None:
        known = ", ".join(self._app.types) or "none"
        raise UnknownType(f"this worker has no handler for {job.spec.type!r}; it knows {known}")

    async def _sweep(self) -> None:
        """One timer for all attempts instead of one each."""
        while True:
            await asyncio.sleep(_SWEEP_S)
            now_us = self._clock.now_us()
            late = [job for job in self._running if job.spec.timeout_us and job.context.deadline_us <= now_us]
            for job in late:
                self.interrupt(job, Interruption.TIMEOUT)
