"""A child of the pool: the process in which handlers with ``process=True`` run, one job at a time."""

import asyncio
import contextlib
import contextvars
import faulthandler
import os
import queue
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
import uvloop

from gotask import v1
from gotask.sdk.app import App, Handler
from gotask.sdk.attempt.failures import judge
from gotask.sdk.attempt.hooks import JobHooks, call_hooks
from gotask.sdk.attempt.payloads import decode_payload, encode_result
from gotask.sdk.context import JobContext
from gotask.sdk.errors import Cancelled
from gotask.sdk.loading import load_apps
from gotask.sdk.middleware import overridden
from gotask.service.logging import about, configure_logging
from gotask.worker.about import about_job
from gotask.worker.interpreter import end_with_parent
from gotask.worker.pool.frames import Done, Kind, Order, encode_frame, frames_of
from gotask.worker.pool.memory import peak_memory
from gotask.worker.pool.progress import ProgressReports

_ORPHANED = 70


def main(arguments: Sequence[str]) -> int:
    """Runs until told to exit. *arguments*: the number of the socket, the parent's id, and the settings as JSON."""
    connection = socket.socket(fileno=int(arguments[0]))
    connection.set_inheritable(False)
    end_with_parent(int(arguments[1]), signal.SIGKILL)
    settings = orjson.loads(arguments[2])
    faulthandler.enable()
    _leave_stopping_to_the_parent()
    configure_logging("worker", settings["log_level"], settings["log_format"])
    try:
        app = load_apps(settings["places"])
    except BaseException:
        connection.sendall(encode_frame(Kind.FAILED, traceback.format_exc().encode(errors="replace")))
        return 1
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        Child(connection, app, runner).serve()
    return 0


def _leave_stopping_to_the_parent() -> None:
    """A signal to the whole group, as supervisors and terminals send it, must not end the jobs of a worker that drains.

    A function, since to ignore a signal would be passed on to programs that handlers start.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)


class Child:
    """Takes jobs from the socket and runs their handlers in the main thread."""

    def __init__(self, connection: socket.socket, app: App, runner: asyncio.Runner) -> None:
        self._connection = connection
        self._app = app
        self._hooks = {handler.type: JobHooks(handler.middleware) for handler in app.handlers}
        self._runner = runner
        self._writing = threading.Lock()
        self._orders: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
        self._progress = ProgressReports(self._send_progress)
        self._context: JobContext | None = None
        self._interruptible = False
        self._cancel: Callable[[], object] | None = None

    def serve(self) -> None:
        """Returns when the parent wants it to exit."""
        signal.signal(signal.SIGUSR1, self._on_interrupt)
        self._runner.run(call_hooks(overridden(self._app.middleware, "after_process_start")))
        threading.Thread(target=self._listen, name="listener", daemon=True).start()
        self._send(Kind.READY)
        while (order := self._orders.get()) is not None:
            self._send(Kind.DONE, self._run(order).encode())
        self._runner.run(call_hooks(overridden(self._app.middleware, "before_process_end")))

    def _run(self, order: Order) -> Done:
        result = v1.JobResult()
        handler = self._app.handler(order.spec.type)
        try:
            about.set(lambda: about_job(order.spec, order.tries))
            self._context = JobContext(order.spec, order.tries, order.deadline_us, self._progress.report)
            value = self._call(handler, self._context, decode_payload(order.spec))
            result.result = encode_result(value)
            result.attempt.outcome = v1.OUTCOME_SUCCESS
        except BaseException as error:  # SystemExit of a handler is its failure
            judge(result, error, handler.no_retry_on if handler is not None else ())
        self._context = None
        sys.stdout.flush()
        return Done(peak_memory(), result)

    def _call(self, handler: Handler | None, context: JobContext, payload: Any) -> Any:
        if handler is None:
            raise LookupError(
                f"its module registered a handler for {context.type!r} in the worker, but not in the pool"
            )
        arguments = handler.binder.bind(payload, context)
        hooks = self._hooks[handler.type]
        if handler.is_async:
            coroutine = self._call_async(handler, hooks, context, arguments)
            return self._runner.run(coroutine, context=contextvars.copy_context())
        try:
            self._interruptible = True
            return hooks.around_function(handler.function, context, arguments, self._runner.run)
        finally:
            self._interruptible = False

    async def _call_async(
        self, handler: Handler, hooks: JobHooks, context: JobContext, arguments: Mapping[str, Any]
    ) -> Any:
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        if task is not None:
            self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        try:
            return await hooks.around_coroutine(handler.function, context, arguments)
        finally:
            self._cancel = None

    def _listen(self) -> None:
        """In a thread of its own: hears the parent while a handler runs."""
        with contextlib.suppress(OSError):
            for kind, body in frames_of(self._connection):
                if kind is Kind.RUN:
                    self._orders.put(Order.decode(body))
                elif kind is Kind.CANCEL:
                    self._interrupt()
                else:
                    self._orders.put(None)
                    return
        os._exit(_ORPHANED)

    def _interrupt(self) -> None:
        """Asks the handler to end: the flag of its context is set; a coroutine is cancelled; a function gets Cancelled
        raised wherever it is."""
        if self._context is not None:
            self._context.cancelled = True
        if self._cancel is not None:
            self._cancel()
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    def _on_interrupt(self, *_: object) -> None:
        if self._interruptible:
            self._interruptible = False
            raise Cancelled("the job is to end")

    def _send_progress(self, progress: v1.JobProgress) -> None:
        self._send(Kind.PROGRESS, progress.SerializeToString())

    def _send(self, kind: Kind, body: bytes = b"") -> None:
        with self._writing, contextlib.suppress(OSError):  # a parent that is gone: the listener ends this process
            self._connection.sendall(encode_frame(kind, body))
