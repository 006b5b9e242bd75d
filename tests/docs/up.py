"""``gotask up`` as pages tell people to start it, on ports of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from gotask.embedded import free_port
from tests.support.waiting import wait_until_blocking

_HOSTS = ("localhost", "127.0.0.1")
_START_S = 60
_STOP_S = 30


class Up:
    """All services in one process, and what commands need to know of them. *arguments* go over what is said here."""

    def __init__(self, data: Path, arguments: Sequence[str] = (), folder: Path | None = None) -> None:
        data.mkdir()
        self._log = data / "up.log"
        ports = {usual: str(free_port()) for usual in ("4222", "8080", "9464", "50051")}
        self.api = f"http://127.0.0.1:{ports['8080']}/api/v1"
        broker = f"nats://127.0.0.1:{ports['4222']}"
        self.environment: Mapping[str, str] = {"GOTASK_URL": broker, "GOTASK_NATS_URL": broker}
        self._places = {f"{host}:{usual}": f"127.0.0.1:{port}" for usual, port in ports.items() for host in _HOSTS}
        flags = ("--nats-port", "--http-port", "--metrics-port", "--grpc-port")
        addresses = [part for flag, port in zip(flags, ports.values(), strict=True) for part in (flag, port)]
        own = ["--storage", "memory", "--data", str(data / "data"), *addresses]
        self._argv = [sys.executable, "-m", "gotask.cli", "up", *arguments, *own]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        # With an address of NATS it would use that one.
        environment = {name: value for name, value in os.environ.items() if name not in self.environment}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._argv, stdout=log, stderr=log, cwd=self._folder, env=environment)
        wait_until_blocking(self._ready, f"it is up (its log: {self._log})", _START_S)

    def _ready(self) -> bool:
        told = self._log.read_text()
        assert self._process is not None
        assert self._process.poll() is None, told
        return "GoTask is up." in told

    def stop(self) -> None:
        """An orderly end; SIGKILL, which ends its children with it, for one that takes too long."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def localized(self, text: str) -> str:
        """*text* with these addresses instead of those that are usual."""
        return re.sub("|".join(map(re.escape, self._places)), lambda found: self._places[found[0]], text)
