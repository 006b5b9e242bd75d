"""One run of a handler, as a worker would do it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from gotask import v1
from gotask.jobs.durations import format_us
from gotask.sdk.app import App, Handler
from gotask.sdk.attempt.failures import judge
from gotask.sdk.attempt.hooks import JobHooks
from gotask.sdk.attempt.payloads import decode_payload, encode_result
from gotask.sdk.context import JobContext
from gotask.sdk.errors import Cancelled, NoRetry, Timeout

WORKER = "sandbox"


class UnknownType(NoRetry):
    """A job's type has no handler in the app."""


class Attempt:
    """``async def`` handlers run here, others in a thread. The attempt's timeout counts real time."""

    def __init__(
        self,
        app: App,
        spec: v1.JobSpec,
        number: int,
        tries: int,
        now_us: int,
        report: Callable[[str, v1.Progress], None],
    ) -> None:
        self.spec = spec
        self.number = number
        self.started_at_us = now_us
        self._app = app
        self._handler = app.handler(spec.type)
        self._hooks = JobHooks(self._handler.middleware if self._handler is not None else ())
        self._context = JobContext(spec, tries, now_us + spec.timeout_us, report)
        self._task: asyncio.Task[Any] | None = None

    async def run(self) -> v1.JobResult:
        """What came of it."""
        result = v1.JobResult(job_id=self.spec.id, queue=self.spec.queue, type=self.spec.type)
        result.attempt.attempt = self.number
        result.attempt.worker = WORKER
        try:
            result.result = encode_result(await self._value())
            result.attempt.outcome = v1.OUTCOME_SUCCESS
        except Exception as error:
            judge(result, error, self._handler.no_retry_on if self._handler is not None else ())
            if result.attempt.outcome == v1.OUTCOME_FAILURE:
                await self._hooks.failed(self._context, error)
        return result

    def cancel(self) -> None:
        """The job was cancelled: a coroutine is, too; a thread is asked."""
        self._context.cancelled = True
        if self._task is not None:
            self._task.cancel()

    async def _value(self) -> Any:
        """What the handler returns; raises what it raises, Cancelled when it was interrupted, Timeout when its time is
        over."""
        limit = asyncio.timeout(self.spec.timeout_us / 1e6 or None)
        try:
            async with limit:
                self._task = asyncio.create_task(self._call())
                value = await self._task
        except asyncio.CancelledError:
            if not self._context.cancelled:
                raise
        except TimeoutError:
            if not limit.expired():
                raise
            self._context.cancelled = True
            raise Timeout(f"the attempt took longer than {format_us(self.spec.timeout_us)}") from None
        if self._context.cancelled:
            raise Cancelled
        return value

    def _call(self) -> Coroutine[Any, Any, Any]:
        if self._handler is None:
            return self._refuse()
        arguments = self._handler.binder.bind(decode_payload(self.spec), self._context)
        if self._handler.is_async:
            return self._hooks.around_coroutine(self._handler.function, self._context, arguments)
        return self._in_thread(self._handler, arguments)

    async def _refuse(self) -> None:
        known = ", ".join(self._app.types) or "none"
        raise UnknownType(f"the app has no handler for {self.spec.type!r}; it has {known}")

    async def _in_thread(self, handler: Handler, arguments: dict[str, Any]) -> Any:
        loop = asyncio.get_running_loop()

        def wait(coroutine: Coroutine[Any, Any, None]) -> None:
            asyncio.run_coroutine_threadsafe(coroutine, loop).result()

        return await asyncio.to_thread(self._hooks.around_function, handler.function, self._context, arguments, wait)
