"""Tells who blocks the event loop."""

import asyncio
import inspect
import sys
import threading
import time
from collections.abc import Iterable
from types import CodeType, FrameType

import structlog

from gotask.sdk.app import Handler

_log = structlog.get_logger("gotask.worker")

_TICK_S = 0.2
_BLOCKED_S = 1.0


class Watchdog:
    """A thread that looks, a few times a second, whether the event loop still runs.

    When it has not run for a second, the handler on its stack is named in a warning; another tells for how long, when
    it runs again. It watches and does nothing else: a loop that is blocked sends no heartbeats, so that its jobs go to
    other workers when their leases are over, as they should; a heartbeat from a thread would claim that a worker lives
    which neither runs, cancels nor ends anything.
    """

    def __init__(self, handlers: Iterable[Handler]) -> None:
        self._types = {_code(handler): handler.type for handler in handlers if handler.is_async}
        self._ticked_at = time.monotonic()
        self._ticking: asyncio.TimerHandle | None = None
        self._loop_thread = 0
        self._over = threading.Event()

    def start(self) -> None:
        """Begins to watch the running loop, which must be the caller's."""
        self._loop_thread = threading.get_ident()
        self._tick()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        self._over.set()
        if self._ticking is not None:
            self._ticking.cancel()

    def _tick(self) -> None:
        self._ticked_at = time.monotonic()
        self._ticking = asyncio.get_running_loop().call_later(_TICK_S, self._tick)

    def _watch(self) -> None:
        while not self._over.wait(_TICK_S):
            ticked_at = self._ticked_at
            if time.monotonic() - ticked_at >= _BLOCKED_S:
                self._warn()
                self._wait_until_it_runs(ticked_at)

    def _warn(self) -> None:
        frame = sys._current_frames().get(self._loop_thread)  # noqa: SLF001  documented, whatever its name
        _log.warning(
            "the event loop is blocked; while it is, no heartbeat is sent, and jobs whose leases end are lost",
            handler=self._handler(frame),
            at=_place(frame),
        )

    def _wait_until_it_runs(self, ticked_at: float) -> None:
        while self._ticked_at == ticked_at:
            if self._over.wait(_TICK_S):
                return
        _log.warning("the event loop runs again", blocked_s=round(self._ticked_at - ticked_at, 1))

    def _handler(self, frame: FrameType | None) -> str | None:
        """The type whose handler is on the stack."""
        while frame is not None:
            if frame.f_code in self._types:
                return self._types[frame.f_code]
            frame = frame.f_back
        return None


def _code(handler: Handler) -> CodeType | None:
    """None for what is callable but no function."""
    return getattr(inspect.unwrap(handler.function), "__code__", None)


def _place(frame: FrameType | None) -> str | None:
    if frame is None:
        return None
    return f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"
