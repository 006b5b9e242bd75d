"""The processes of a run: servers and services, each of which may be killed, paused and started again."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from gotask.embedded import ServerCommand, free_port, nats_server, postgres_server, valkey_server
from tests.support.stack import http
from tests.support.waiting import wait_until_blocking

ROOT = Path(__file__).parents[2]
_APP = "tools.chaos.handlers:app"
_QUEUES = "chaos,narrow"
_START_S = 60
_STOP_S = 40


class Part:
    """One process. What ends without being told to is counted, and started again by :meth:`revive`."""

    def __init__(
        self,
        name: str,
        argv: list[str],
        environment: Mapping[str, str],
        log: Path,
        ready: Callable[[], bool],
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.log = log
        self.ready = ready
        self.own_ends: list[int] = []
        self._argv = argv
        self._stop_signal = stop_signal
        self._environment = {**os.environ, **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._argv, stdout=log, stderr=log, env=self._environment, cwd=ROOT)

    def wait_ready(self) -> None:
        wait_until_blocking(self.ready, f"{self.name} is ready (its log: {self.log})", _START_S)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def revive(self) -> None:
        """Starts it again if it ended by itself, as whoever runs it in production does."""
        if self._process is not None and not self.running:
            self.own_ends.append(self._process.returncode)
            self.start()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> int:
        """Asks it to end; the exit code, or that of SIGKILL for a process that takes too long."""
        assert self._process is not None
        self._process.send_signal(self._stop_signal)
        try:
            return self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return -signal.SIGKILL

    def pause(self) -> None:
        """With its children."""
        self._tell_family(signal.SIGSTOP)

    def go_on(self) -> None:
        self._tell_family(signal.SIGCONT)

    def _tell_family(self, number: signal.Signals) -> None:
        if self._process is None or not self.running:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self._process.pid)
            for process in (parent, *parent.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(number)


class Fleet:
    """Two gateways, two queue-managers, two schedulers, three workers, metrics, NATS and a storage.

    With memory there is one process for all services, which may be paused but not killed, since it holds the jobs; and
    three workers.
    """

    def __init__(self, storage: str, folder: Path) -> None:
        self._folder = folder
        self._storage = storage
        self.parts: dict[str, Part] = {}
        nats = nats_server(folder / "nats", free_port())
        self.nats_url = nats.address
        self._server(nats)
        self._environment = {
            "GOTASK_NATS_URL": nats.address,
            "GOTASK_STORAGE": storage,
            "GOTASK_FIRST_LEASE": "2s",
            "GOTASK_HEARTBEAT": "500ms",
            "GOTASK_CLAIM_WAIT": "2s",
            "GOTASK_GRACE": "1s",
            "GOTASK_POOL_SIZE": "2",
            "GOTASK_LOG_FORMAT": "console",
        }
        self.doors = [nats.address]
        if storage == "memory":
            self._standalone()
        else:
            self._services()
        for number in (1, 2, 3):
            self._service(f"worker-{number}", "worker", [_APP, "--queues", _QUEUES, "--concurrency", "30"])

    def start(self) -> None:
        """Servers first; returns when all are ready."""
        for part in self.parts.values():
            part.start()
            if part.name in ("nats", "valkey", "postgres"):
                part.wait_ready()
        for part in self.parts.values():
            part.wait_ready()

    def kill(self) -> None:
        """Ends all processes, the servers last."""
        for part in reversed(self.parts.values()):
            part.go_on()
            part.kill()

    @property
    def victims(self) -> list[str]:
        """Whom faults may strike."""
        return list(self.parts)

    def may_end(self, name: str) -> bool:
        """Whether a process may be ended, or only paused."""
        return name != "standalone"

    def _server(self, command: ServerCommand) -> None:
        log = self._folder / f"{command.name}.log"
        self.parts[command.name] = Part(
            command.name, command.argv, command.environment, log, command.ready, command.stop_signal
        )

    def _services(self) -> None:
        if self._storage == "redis":
            server = valkey_server(self._folder / "valkey", free_port())
            self._environment["GOTASK_REDIS_ADDR"] = server.address
        else:
            server = postgres_server(self._folder / "postgres", free_port())
            self._environment["GOTASK_POSTGRES_DSN"] = server.address
        self._server(server)
        for number in (1, 2):
            self._service(f"queue-manager-{number}", "queue-manager", [])
            self._service(f"scheduler-{number}", "scheduler", [])
        self._service("metrics", "metrics", ["--metrics-port", str(free_port())])
        for number in (1, 2):
            http_port, grpc_port = str(free_port()), str(free_port())
            self._service(f"gateway-{number}", "gateway", ["--http-port", http_port, "--grpc-port", grpc_port])
            self.doors.append(f"grpc://127.0.0.1:{grpc_port}")

    def _service(self, name: str, command: str, arguments: list[str]) -> None:
        health = free_port()
        argv = [sys.executable, "-m", "gotask.cli", command, *arguments, "--health-port", str(health)]
        self._add(name, argv, health)

    def _standalone(self) -> None:
        ports = {name: free_port() for name in ("http", "grpc", "metrics")}
        options = [f"--{name}-port={port}" for name, port in ports.items()]
        options += ["--storage=memory", f"--nats={self.nats_url}", f"--data={self._folder / 'standalone'}"]
        argv = [sys.executable, "-m", "gotask.cli", "up", *options, f"--app={_APP}", f"--queues={_QUEUES}"]
        self._add("standalone", argv, ports["http"])
        self.doors.append(f"grpc://127.0.0.1:{ports['grpc']}")

    def _add(self, name: str, argv: list[str], health: int) -> None:
        def ready() -> bool:
            return http("GET", f"http://127.0.0.1:{health}/ready")[0] == 200

        self.parts[name] = Part(name, argv, self._environment, self._folder / f"{name}.log", ready)
