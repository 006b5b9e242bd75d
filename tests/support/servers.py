"""Real servers as child processes that a test may kill and start again."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from gotask.embedded import ServerCommand, free_port, postgres_server
from tests.support.waiting import wait_until_blocking


class Server:
    """A server that runs and is left alone: its address stays the same, and so does its data."""

    def __init__(self, command: ServerCommand) -> None:
        self.command = command
        self.address = command.address


class ServerProcess(Server):
    """One that may be killed and started again."""

    def __init__(self, command: ServerCommand) -> None:
        super().__init__(command)
        self._log = Path(command.data) / f"{command.name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, deadline_s: float = 60) -> None:
        with self._log.open("ab") as log:
            environment = {**os.environ, **self.command.environment}
            self._process = subprocess.Popen(self.command.argv, stdout=log, stderr=log, env=environment)
        wait_until_blocking(
            lambda: self._running() and self.command.ready(),
            f"{self.command.name} answers (its log: {self._log})",
            deadline_s,
        )

    def _running(self) -> bool:
        assert self._process is not None
        if (code := self._process.poll()) is not None:
            raise AssertionError(f"{self.command.name} ended with {code}: {self._log.read_text()[-2000:]}")
        return True

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        """SIGKILL, and waits until it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        self.kill()
        self.start()


@contextmanager
def postgres_command(*settings: str) -> Iterator[ServerCommand]:
    """How to start a PostgreSQL server with *settings* (``name=value``) of its own.

    Its data is not below pytest's folder, which other sessions close to other users: started by root, the server runs
    as one.
    """
    with tempfile.TemporaryDirectory(prefix="gotask-postgres-") as data:
        yield postgres_in(Path(data), *settings)


def postgres_in(data: Path, *settings: str) -> ServerCommand:
    """How to start one that makes a cluster below *data* where there is none."""
    command = postgres_server(data, free_port())
    options = [part for setting in settings for part in ("-c", setting)]
    return replace(command, argv=[*command.argv, *options])


@contextmanager
def running(command: ServerCommand) -> Iterator[ServerProcess]:
    """The server until the end of the block."""
    server = ServerProcess(command)
    try:
        server.start()
        yield server
    finally:
        server.kill()
