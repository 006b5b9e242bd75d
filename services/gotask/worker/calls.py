"""How handlers are called: on the loop, in a thread, in a process; with what middlewares have around them.

It is chosen once per handler, so that a job pays for nothing that its handler does not use.
"""

import asyncio
import contextvars
import functools
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import orjson

from gotask import v1
from gotask.sdk.app import Handler
from gotask.sdk.attempt.failures import FailedInProcess
from gotask.sdk.attempt.hooks import JobHooks
from gotask.sdk.attempt.payloads import decode_payload
from gotask.sdk.errors import Cancelled
from gotask.service.clock import Clock
from gotask.worker.pool.pool import ProcessPool
from gotask.worker.running import RunningJob

Call = Callable[[RunningJob], Awaitable[Any]]
"""Runs a job's handler; gives what the handler returns, raises what it raises."""

_NEVER_US = 2**63 - 1


def call_on_loop(handler: Handler, hooks: JobHooks) -> Call:
    """For ``async def``: the handler's own coroutine, in the job's task."""
    function, bind = handler.function, handler.binder.bind

    def call(job: RunningJob) -> Awaitable[Any]:
        coroutine: Awaitable[Any] = function(**bind(decode_payload(job.spec), job.context))
        return coroutine

    def call_with_hooks(job: RunningJob) -> Awaitable[Any]:
        return hooks.around_coroutine(function, job.context, bind(decode_payload(job.spec), job.context))

    return call_with_hooks if hooks.surround else call


class Threads:
    """Where ``def`` handlers run.

    *on_free* is called when a thread is free again: when its handler has ended, which for one that ignores its
    interruption is later than the end of its job.
    """

    def __init__(self, count: int, name: str, on_free: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._executor = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._on_free = on_free

    def call(self, handler: Handler, hooks: JobHooks) -> Call:
        """A call that runs in a thread, with the context variables of the job's task."""
        function, bind = handler.function, handler.binder.bind

        async def call(job: RunningJob) -> Any:
            arguments = bind(decode_payload(job.spec), job.context)
            work = functools.partial(function, **arguments)
            if hooks.surround:
                work = functools.partial(hooks.around_function, function, job.context, arguments, self._wait)
            job.thread = self._executor.submit(contextvars.copy_context().run, work)
            job.thread.add_done_callback(self._freed)
            return await asyncio.wrap_future(job.thread)

        return call

    def stop(self) -> None:
        """Waits for no thread."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _wait(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _freed(self, _: Future[Any]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._on_free)


def call_in_process(pool: ProcessPool, clock: Clock) -> Call:
    """For ``process=True``: in a child of *pool*, which binds the payload and calls the hooks itself.

    The attempt begins, and its time-out with it, when the job has got a child.
    """

    async def call(job: RunningJob) -> Any:
        def begin() -> int:
            job.started_at_us = clock.now_us()
            job.context.deadline_us = job.started_at_us + job.spec.timeout_us
            return job.context.deadline_us

        job.context.deadline_us = _NEVER_US
        done = await pool.run(job.spec, job.context.attempt, begin)
        if done.attempt.outcome == v1.OUTCOME_CANCELLED:
            raise Cancelled
        if done.attempt.outcome == v1.OUTCOME_FAILURE:
            raise FailedInProcess(done)
        return orjson.Fragment(done.result) if done.result else None

    return call
