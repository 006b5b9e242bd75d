"""A child process: its logs under a prefix, its life and its end."""

import asyncio
import contextlib
import os
import signal
import sys
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

Write = Callable[[str, str], None]
"""Takes a child's name and one of its lines."""

_KEPT_LINES = 15


@dataclass(slots=True)
class Child:
    """How to start a process, and the process while it runs. *ready* asks once whether it does its work."""

    name: str
    argv: list[str]
    ready: Callable[[], Awaitable[bool]]
    environment: dict[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    process: asyncio.subprocess.Process | None = None
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT_LINES))
    _reading: asyncio.Task[None] | None = None

    async def start(self, write: Write) -> None:
        """Starts it in a session of its own: the terminal's Ctrl-C reaches only its parent."""
        self.process = await asyncio.create_subprocess_exec(
            *self.argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **self.environment},
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
        if self.process.stdout is not None:
            self._reading = asyncio.create_task(self._read(self.process.stdout, write))

    async def stop(self, patience_s: float) -> None:
        """Its stop signal, and SIGKILL for one that takes longer than *patience_s* seconds."""
        if self.process is None or self.process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(self.stop_signal)
        try:
            await asyncio.wait_for(self.process.wait(), patience_s)
        except TimeoutError:
            self.kill()
            await self.process.wait()

    def kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()

    @property
    def exit_code(self) -> int | None:
        """None while it runs, or was not started."""
        return self.process.returncode if self.process is not None else None

    async def wait(self) -> int | None:
        """Returns its exit code when it has ended; None at once when it was not started."""
        return await self.process.wait() if self.process is not None else None

    async def _read(self, output: asyncio.StreamReader, write: Write) -> None:
        while line := await output.readline():
            text = line.decode(errors="replace").rstrip()
            self.last_lines.append(text)
            write(self.name, text)


def _die_with_parent() -> None:
    """Linux: the kernel ends this process when its parent is gone, however that ended."""
    import ctypes

    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


def answers_ready(port: int) -> Callable[[], Awaitable[bool]]:
    """Asks a service's /ready on loopback."""

    def ask() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=2) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    async def ready() -> bool:
        return await asyncio.to_thread(ask)

    return ready
