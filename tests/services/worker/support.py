"""``gotask worker`` as a process of its own."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson

from tests.support.waiting import wait_until_blocking


class WorkerProcess:
    """Runs in *folder*; what it logs is kept there."""

    def __init__(self, folder: Path, arguments: list[str], environment: dict[str, str]) -> None:
        self._log = folder / "worker.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gotask.cli", "worker", *arguments],
                cwd=folder,
                stdout=log,
                stderr=log,
                env={**os.environ, **environment},
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        """Returns its exit code when it has ended."""
        return self._process.wait(60)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def text(self) -> str:
        """All that it has written."""
        return self._log.read_text()

    def entries(self, event: str) -> list[dict[str, Any]]:
        """What it, or a process that it started, has logged under a text that contains *event*."""
        found = []
        for line in self.text().splitlines():
            with contextlib.suppress(orjson.JSONDecodeError):
                entry = orjson.loads(line)
                if event in entry.get("event", ""):
                    found.append(entry)
        return found

    def wait_for(self, event: str, count: int = 1) -> list[dict[str, Any]]:
        """Returns when something was logged *count* times."""
        wait_until_blocking(
            lambda: len(self.entries(event)) >= count, f"{event!r} is logged {count} times in {self._log}"
        )
        return self.entries(event)


def is_gone(pid: int) -> bool:
    """Whether no process has that id, or only its parent's knowledge of its end is left of it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
