"""The supervisor: starts children in order, keeps them alive, stops them in reverse."""

import asyncio
import contextlib
import time
from collections.abc import Sequence

from gotask.cli.up.children import Child, Write

_READY_S = 60.0
_LOOK_S = 0.05
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0
_LONG_LIFE_S = 10.0
_PATIENCE_S = 40.0


class NotReady(Exception):
    """A child did not begin its work; the text ends with its last lines."""


class Supervisor:
    """Children in groups: a group is started when the one before it is ready."""

    def __init__(self, groups: Sequence[Sequence[Child]], write: Write) -> None:
        self._groups = groups
        self._write = write
        self._keepers: list[asyncio.Task[None]] = []

    @property
    def children(self) -> list[Child]:
        return [child for group in self._groups for child in group]

    async def start(self) -> None:
        """Returns when all are ready; NotReady says which one is not, and what it said last."""
        for group in self._groups:
            for child in group:
                await child.start(self._write)
            for child in group:
                await self._wait_ready(child)
        self._keepers = [asyncio.create_task(self._keep(child)) for child in self.children]

    async def stop(self) -> None:
        """Stops the groups, last first; the children of one group together."""
        for keeper in self._keepers:
            keeper.cancel()
        for group in reversed(self._groups):
            await asyncio.gather(*(child.stop(_PATIENCE_S) for child in group))

    def kill(self) -> None:
        """Ends all of them at once."""
        for keeper in self._keepers:
            keeper.cancel()
        for child in self.children:
            child.kill()

    async def _wait_ready(self, child: Child) -> None:
        end = time.monotonic() + _READY_S
        while not await child.ready():
            code = child.exit_code
            if code is not None or time.monotonic() > end:
                why = f"ended with {code}" if code is not None else f"was not ready within {_READY_S:g} s"
                raise NotReady("\n  ".join([f"{child.name} {why}; its last lines:", *child.last_lines]))
            await asyncio.sleep(_LOOK_S)

    async def _keep(self, child: Child) -> None:
        pause = _FIRST_PAUSE_S
        while True:
            began = time.monotonic()
            code = await child.wait()
            if time.monotonic() - began > _LONG_LIFE_S:
                pause = _FIRST_PAUSE_S
            self._write("up", f"{child.name} ended with {code}; it is started again in {pause:g} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)
            with contextlib.suppress(OSError):
                await child.start(self._write)
