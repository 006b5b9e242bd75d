"""Behaviour around jobs that is not a handler's own: sessions, metrics, alerts."""

from collections.abc import Awaitable, Sequence
from typing import Any

from gotask.sdk.context import JobContext

Hook = Awaitable[None] | None
"""What a hook gives back: nothing, or something to wait for."""


class Middleware:
    """Base class; override what you need, as ``def`` or as ``async def``. What is not overridden costs nothing.

        class Sessions(Middleware):
            async def before_job(self, context: JobContext) -> None:
                session.set(await open_session())

            async def after_job(self, context: JobContext, result: Any, error: BaseException | None) -> None:
                await session.get().close()

        app = App(middleware=[Sessions()])

    **Order.** Hooks that open something, ``before_job`` and those of a start, run in the order of the app's list; those
    that close it in reverse.

    **Place.** ``before_job`` and ``after_job`` run where the handler runs: on the event loop for ``async def``, in its
    thread for ``def``, in its child process for ``process=True``; so context variables and thread-locals that
    ``before_job`` sets are seen by the handler. ``on_failure`` and the hooks of a worker run on the worker's event
    loop. On the loop a hook that is a plain ``def`` must not block.

    **Time.** An asynchronous hook has ten seconds. ``before_job`` and ``after_job`` count towards the attempt's
    timeout.

    **Errors.** An exception of a hook is logged, and the job goes on as if there were no such hook. Only ``Retry``,
    ``NoRetry`` and ``Cancelled`` mean what they mean in a handler when ``before_job`` raises them: the attempt ends
    so, and the handler does not run.
    """

    def before_job(self, context: JobContext) -> Hook:
        """A handler is about to run; its payload fits."""

    def after_job(self, context: JobContext, result: Any, error: BaseException | None) -> Hook:
        """A handler has ended: with *result*, or with *error* (``CancelledError`` or ``Cancelled`` when it was
        interrupted). Not called in a process that was killed or crashed."""

    def on_failure(self, context: JobContext, error: BaseException) -> Hook:
        """An attempt has failed, also by its timeout, by a payload that does not fit, or by the crash of its process.

        What a handler in a process raised comes as :class:`~gotask.sdk.errors.RemoteError`. Not called for a job that
        was cancelled or handed back.
        """

    def after_process_start(self) -> Hook:
        """In every process that runs handlers, the worker's and each of its pool, before the first job."""

    def before_process_end(self) -> Hook:
        """In the same, after the last job. Not called in a process that is killed or crashes."""

    def before_worker_start(self, worker_id: str) -> Hook:
        """A worker is about to claim its first job."""

    def after_worker_start(self, worker_id: str) -> Hook:
        """A worker claims jobs."""

    def before_worker_stop(self, worker_id: str) -> Hook:
        """A worker was asked to stop; its jobs still run."""

    def after_worker_stop(self, worker_id: str) -> Hook:
        """A worker has ended or handed back all its jobs."""


_OPENING = frozenset({"before_job", "after_process_start", "before_worker_start", "after_worker_start"})


def overridden(middlewares: Sequence[Middleware], name: str) -> list[Any]:
    """The hooks called *name* of those that have one of their own, in the order in which they are to be called."""
    base = getattr(Middleware, name)
    hooks = [getattr(each, name) for each in middlewares if getattr(type(each), name) is not base]
    return hooks if name in _OPENING else hooks[::-1]
