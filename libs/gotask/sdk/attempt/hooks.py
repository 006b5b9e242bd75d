"""Calls the hooks of middlewares. What goes wrong in one is logged, and loses no job."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any

import structlog

from gotask.sdk.context import JobContext
from gotask.sdk.errors import Cancelled, NoRetry, Retry
from gotask.sdk.middleware import Middleware, overridden

_log = structlog.get_logger("gotask.worker")

_PATIENCE_S = 10.0
_DECISIONS = (Retry, NoRetry, Cancelled)

Wait = Callable[[Coroutine[Any, Any, None]], None]
"""Runs a coroutine from a thread that has no event loop, and returns when it is over."""


class JobHooks:
    """What an app's middlewares do around each of its jobs."""

    def __init__(self, middlewares: Sequence[Middleware]) -> None:
        self._before = overridden(middlewares, "before_job")
        self._after = overridden(middlewares, "after_job")
        self._failure = overridden(middlewares, "on_failure")

    @property
    def surround(self) -> bool:
        """Whether anything happens before or after a handler."""
        return bool(self._before or self._after)

    async def around_coroutine(
        self, function: Callable[..., Any], context: JobContext, arguments: Mapping[str, Any]
    ) -> Any:
        """Calls the hooks and an ``async def`` handler between them."""
        try:
            for hook in self._before:
                await _call(hook, (context,), deciding=_DECISIONS)
            result = await function(**arguments)
        except BaseException as error:
            await call_hooks(self._after, context, None, error)
            raise
        await call_hooks(self._after, context, result, None)
        return result

    def around_function(
        self, function: Callable[..., Any], context: JobContext, arguments: Mapping[str, Any], wait: Wait
    ) -> Any:
        """Calls the hooks and a ``def`` handler between them, in the thread of the caller."""
        try:
            for hook in self._before:
                _call_blocking(hook, (context,), wait, deciding=_DECISIONS)
            result = function(**arguments)
        except BaseException as error:
            self._after_blocking(context, None, error, wait)
            raise
        self._after_blocking(context, result, None, wait)
        return result

    def _after_blocking(self, context: JobContext, result: Any, error: BaseException | None, wait: Wait) -> None:
        for hook in self._after:
            _call_blocking(hook, (context, result, error), wait)

    async def failed(self, context: JobContext, error: BaseException) -> None:
        """Tells those who want to know that an attempt has failed."""
        await call_hooks(self._failure, context, error)


async def call_hooks(hooks: Iterable[Callable[..., Any]], *arguments: Any) -> None:
    """Calls one after the other; each may take ten seconds."""
    for hook in hooks:
        await _call(hook, arguments)


async def _call(hook: Callable[..., Any], arguments: Sequence[Any], deciding: tuple[type[Exception], ...] = ()) -> None:
    try:
        waiting = hook(*arguments)
        if waiting is not None:
            await _bounded(waiting)
    except deciding:
        raise
    except Exception:
        _log_failure(hook)


def _call_blocking(
    hook: Callable[..., Any], arguments: Sequence[Any], wait: Wait, deciding: tuple[type[Exception], ...] = ()
) -> None:
    try:
        if inspect.iscoroutinefunction(hook):
            wait(_bounded(hook(*arguments)))
        else:
            hook(*arguments)
    except deciding:
        raise
    except Exception:
        _log_failure(hook)


async def _bounded(waiting: Awaitable[None]) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        await waiting


def _log_failure(hook: Callable[..., Any]) -> None:
    _log.exception("middleware failed", hook=getattr(hook, "__qualname__", repr(hook)))
