"""Workers with their queue-manager, on the storage in memory: what a worker does is the same on all."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from structlog.testing import LogCapture

from tests.services.worker.life import life
from tests.services.worker.support import WorkerProcess
from tests.support.servers import Server

__all__ = ["life"]


@pytest.fixture
def logs() -> Iterator[LogCapture]:
    """What is logged while the test runs."""
    before = structlog.get_config()
    capture = LogCapture()
    structlog.configure(processors=[capture], cache_logger_on_first_use=False)
    yield capture
    structlog.configure(**before)


class Mark:
    """A file by which a handler in another process tells that it got somewhere, or is told to go on."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def set(self) -> None:
        Path(self.path).touch()

    def is_set(self) -> bool:
        return Path(self.path).exists()

    def pids(self) -> list[int]:
        """The process ids that the handler wrote into it."""
        return [int(word) for word in Path(self.path).read_text().split()]


@pytest.fixture
def start_process(nats: Server, namespace: str, tmp_path: Path) -> Iterator[Callable[..., WorkerProcess]]:
    """Starts ``gotask worker`` with the arguments given, as often as the test wants, each in a folder of its own."""
    started: list[WorkerProcess] = []
    environment = {
        "GOTASK_NATS_URL": nats.address,
        "GOTASK_NAMESPACE": namespace,
        "GOTASK_LOG_FORMAT": "json",
        "GOTASK_HEARTBEAT": "200ms",
        "PYTHONPATH": str(Path(__file__).parents[3]),
    }

    def start(*arguments: str, folder: Path | None = None) -> WorkerProcess:
        place = folder or tmp_path / f"worker-{len(started)}"
        place.mkdir(exist_ok=True)
        process = WorkerProcess(place, list(arguments), environment)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()


@pytest.fixture
def mark(tmp_path: Path) -> Mark:
    return Mark(tmp_path / "mark")


@pytest.fixture
def second_mark(tmp_path: Path) -> Mark:
    return Mark(tmp_path / "second")
