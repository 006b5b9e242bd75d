"""The whole of GoTask as processes, as in production: two servers and five services, each of which may be killed."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from gotask.embedded import free_port, nats_server, valkey_server
from tests.support.servers import ServerProcess
from tests.support.waiting import wait_until_blocking

SERVICES = ("queue-manager", "scheduler", "metrics", "worker", "gateway")


class ServiceProcess:
    """One service as a process of its own; its health is asked on a port of loopback."""

    def __init__(self, name: str, arguments: list[str], environment: dict[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        self.health_port = free_port()
        self._argv = [sys.executable, "-m", "gotask.cli", name, *arguments, "--health-port", str(self.health_port)]
        self._environment = {**os.environ, **environment}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self._argv, stdout=log, stderr=log, env=self._environment)

    def wait_ready(self) -> None:
        wait_until_blocking(self._ready, f"{self.name} is ready (its log: {self.log})")

    def _ready(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended: {self.log.read_text()[-3000:]}")
        status, _ = http("GET", f"http://127.0.0.1:{self.health_port}/ready")
        return status == 200

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def restart(self) -> None:
        self.kill()
        self.start()
        self.wait_ready()


class Stack:
    """Servers and services with short time-outs, on ports of their own."""

    def __init__(
        self, data: Path, worker_arguments: list[str], environment_of_all: Mapping[str, str] | None = None
    ) -> None:
        self.nats = ServerProcess(nats_server(data / "nats", free_port()))
        self.valkey = ServerProcess(valkey_server(data / "valkey", free_port()))
        http_port, grpc_port, metrics_port, dashboard_port = (free_port() for _ in range(4))
        self.url = f"http://127.0.0.1:{http_port}/api/v1"
        self.grpc_address = f"127.0.0.1:{grpc_port}"
        self.metrics_url = f"http://127.0.0.1:{metrics_port}"
        self.dashboard_url = f"http://127.0.0.1:{dashboard_port}"
        environment = {
            "GOTASK_NATS_URL": self.nats.address,
            "GOTASK_REDIS_ADDR": self.valkey.address,
            "GOTASK_HTTP_PORT": str(http_port),
            "GOTASK_GRPC_PORT": str(grpc_port),
            "GOTASK_METRICS_PORT": str(metrics_port),
            "GOTASK_DASHBOARD_PORT": str(dashboard_port),
            "GOTASK_GATEWAY_URL": f"http://127.0.0.1:{http_port}",
            "GOTASK_FIRST_LEASE": "2s",
            "GOTASK_HEARTBEAT": "500ms",
            "GOTASK_CLAIM_WAIT": "2s",
            "GOTASK_LOG_FORMAT": "console",
            **(environment_of_all or {}),
        }
        self.environment = environment
        arguments = {"worker": worker_arguments}
        self.services = {
            name: ServiceProcess(name, arguments.get(name, []), environment, data / f"{name}.log") for name in SERVICES
        }

    def start(self) -> None:
        self.nats.start()
        self.valkey.start()
        for service in self.services.values():
            service.start()
        for service in self.services.values():
            service.wait_ready()

    def kill(self) -> None:
        for service in self.services.values():
            service.kill()
        self.valkey.kill()
        self.nats.kill()

    def restart(self, name: str) -> None:
        """kill -9, and a new start with the same data."""
        servers = {"nats": self.nats, "valkey": self.valkey}
        (servers.get(name) or self.services[name]).restart()

    def get(self, path: str) -> Any:
        status, body = http("GET", self.url + path)
        assert status == 200, (status, body)
        return body

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        return http("POST", self.url + path, body)


def http(method: str, url: str, body: Any = None) -> tuple[int, Any]:
    """Status and JSON body; status 0 when nobody answers."""
    data = None if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
    request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, _json(response.read())
    except urllib.error.HTTPError as error:
        return error.code, _json(error.read())
    except OSError:
        return 0, None


def _json(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return data.decode(errors="replace")
