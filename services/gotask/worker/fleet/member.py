"""A worker process of a fleet, as its parent sees it."""

import asyncio
import contextlib
import signal
from collections.abc import Sequence


class Member:
    """How to start a worker process, and the process while it runs."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self._unsent: list[signal.Signals] = []

    async def run(self) -> int:
        """Starts it and waits until it has ended; its exit code.

        It gets a session of its own, so that the terminal's Ctrl-C reaches only the parent.
        """
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.DEVNULL, start_new_session=True
        )
        for number in self._unsent:
            self.send(number)
        code = await self._process.wait()
        self._process = None
        return code

    def send(self, number: signal.Signals) -> None:
        """Sends it a signal; one that is just being started gets it then."""
        if self._process is None:
            self._unsent.append(number)
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)
