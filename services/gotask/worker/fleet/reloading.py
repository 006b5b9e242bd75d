"""For development: a fleet that is replaced when code changes."""

import asyncio
from collections.abc import Callable

import structlog

from gotask.worker.fleet.changes import Changes
from gotask.worker.fleet.fleet import Fleet

_log = structlog.get_logger("gotask.worker")


class ReloadingFleet:
    """Stops the fleet when a file changes, as in production: its jobs may finish; then starts another. A worker that
    ended by itself, say by a mistake in its code, is started anew at the next change."""

    def __init__(self, make: Callable[[], Fleet], changes: Changes) -> None:
        self._make = make
        self._changes = changes
        self._fleet: Fleet | None = None

    async def run(self, stop: asyncio.Event) -> int:
        """Runs until *stop* is set; the exit code of the last fleet."""
        while True:
            outdated = asyncio.Event()
            self._fleet = self._make()
            running = asyncio.create_task(self._fleet.run(outdated))
            await self._changed_or(stop)
            outdated.set()
            code = await running
            if stop.is_set():
                return code

    def hurry(self) -> None:
        """Members that are stopping are to do so at once."""
        if self._fleet is not None:
            self._fleet.hurry()

    async def _changed_or(self, stop: asyncio.Event) -> None:
        change = asyncio.create_task(self._changes.next())
        asked = asyncio.create_task(stop.wait())
        await asyncio.wait([change, asked], return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if change.done():
            _log.info("code changed", files=[str(path) for path in change.result()])
        change.cancel()
