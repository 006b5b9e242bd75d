"""Looks at something again and again, as often as it says."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from gotask.bus.errors import BusError
from gotask.service.tasks import stop_task
from gotask.storage.contract import StorageError

_log = structlog.get_logger("gotask.scheduler")

_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 2.0
_PATIENCE_S = 5.0


class Loop:
    """Calls *look*, which returns after how many seconds it is to be called again."""

    def __init__(self, name: str, look: Callable[[], Awaitable[float]]) -> None:
        self._name = name
        self._look = look
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """Lets the look that is under way end, if it does soon."""
        self._stopping = True
        self._woken.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=_PATIENCE_S)
        await stop_task(self._task)

    def wake(self) -> None:
        """There is something to look at now."""
        self._woken.set()

    async def _run(self) -> None:
        pause = _FIRST_PAUSE_S
        while not self._stopping:
            self._woken.clear()
            try:
                wait_s = await self._look()
                pause = _FIRST_PAUSE_S
            except (StorageError, BusError) as error:
                _log.warning(f"{self._name} wait", error=str(error))
                wait_s, pause = pause, min(pause * 2, _LONGEST_PAUSE_S)
            except Exception:
                _log.exception(f"{self._name} failed")
                wait_s = _LONGEST_PAUSE_S
            if not self._stopping:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), wait_s)
