"""The five services as processes over a cluster of brokers and a storage that fails over."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from gotask.embedded import free_port
from tests.support.stack import SERVICES, ServiceProcess

_ARGUMENTS = {"worker": ["tests.cluster.handlers:app", "--concurrency", "100"]}
_REPOSITORY = Path(__file__).parents[2]


class Services:
    """One process of each service; each may be replaced by another while it works."""

    def __init__(
        self, folder: Path, broker: Callable[[str], Mapping[str, str]], environment_of_all: Mapping[str, str]
    ) -> None:
        """*broker* gives the settings by which a service is let in, without their prefix."""
        self.runs = folder / "runs"
        self._folder = folder
        self._broker = broker
        self._environment_of_all = environment_of_all
        self._gateway_url = ""
        self.grpc_target = ""
        self._started = 0
        self.running: dict[str, ServiceProcess] = {}
        self._all: list[ServiceProcess] = []

    @property
    def url(self) -> str:
        """Where the newest gateway is."""
        return self._gateway_url

    def start(self) -> None:
        """The queue-manager first, who alone may make the streams."""
        self.running["queue-manager"] = self._begin("queue-manager")
        self.running["queue-manager"].wait_ready()
        self.running |= {name: self._begin(name) for name in SERVICES if name not in self.running}
        for process in self.running.values():
            process.wait_ready()

    def replace(self, name: str) -> int:
        """As a rolling restart does it: another process, then SIGTERM to the one before; that one's exit code."""
        before_url = self._gateway_url
        old, new = self.running[name], self._begin(name)
        after_url, self._gateway_url = self._gateway_url, before_url
        new.wait_ready()
        self._gateway_url = after_url
        self.running[name] = new
        return old.stop()

    def kill(self) -> None:
        for process in self._all:
            process.kill()

    def _begin(self, name: str) -> ServiceProcess:
        self._started += 1
        log = self._folder / f"{name}-{self._started}.log"
        process = ServiceProcess(name, _ARGUMENTS.get(name, []), self._environment(name), log)
        self._all.append(process)
        process.start()
        return process

    def _environment(self, name: str) -> dict[str, str]:
        http_port, grpc_port = free_port(), free_port()
        if name == "gateway":
            self._gateway_url = f"http://127.0.0.1:{http_port}/api/v1"
            self.grpc_target = f"127.0.0.1:{grpc_port}"
        broker = {f"GOTASK_{key.upper()}": value for key, value in self._broker(name).items()}
        return {
            **broker,
            **self._environment_of_all,
            "PYTHONPATH": str(_REPOSITORY),
            "GOTASK_HTTP_PORT": str(http_port),
            "GOTASK_GRPC_PORT": str(grpc_port),
            "GOTASK_METRICS_PORT": str(free_port()),
            "GOTASK_HEARTBEAT": "1s",
            "GOTASK_CLAIM_WAIT": "5s",
            "GOTASK_LOG_FORMAT": "console",
            "GOTASK_TEST_RUNS": str(self.runs),
        }


@contextlib.contextmanager
def running_services(
    folder: Path, broker: Callable[[str], Mapping[str, str]], environment_of_all: Mapping[str, str]
) -> Iterator[Services]:
    """Ready services, killed in the end."""
    services = Services(folder, broker, environment_of_all)
    try:
        services.start()
        yield services
    finally:
        services.kill()
