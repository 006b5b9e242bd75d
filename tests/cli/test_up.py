"""``gotask up`` and ``gotask demo`` as a user runs them."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from gotask.embedded import free_port
from tests.support.stack import http
from tests.support.waiting import wait_until_blocking

GOTASK = [sys.executable, "-m", "gotask.cli"]


class Up:
    """A running ``gotask up`` on ports of its own."""

    def __init__(self, data: Path, *options: str) -> None:
        port = free_port()
        self.log = data / "up.log"
        self.url = f"http://127.0.0.1:{port}"
        ports = [f"--http-port={port}", f"--grpc-port={free_port()}"]
        ports += [f"--{other}-port=0" for other in ("nats", "redis", "metrics", "dashboard")]
        with self.log.open("w") as log:
            self.process = psutil.Popen(
                [*GOTASK, "up", f"--data={data / 'data'}", *ports, *options], stdout=log, stderr=log
            )
        self.children: list[psutil.Process] = []

    def wait_ready(self) -> None:
        wait_until_blocking(self._ready, f"it is up (its log: {self.log})", 90)
        self.children = self.process.children()

    def _ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return "GoTask is up." in self.log.read_text()

    def run_job(self, **fields: object) -> dict[str, object]:
        """A multiplication, unless *fields* say otherwise; as it stands when it has ended."""
        body = {"type": "math", "payload": {"operation": "multiply", "a": 42, "b": 2}, **fields}
        status, job = http("POST", f"{self.url}/api/v1/jobs", body)
        assert status == 201
        _, done = http("GET", f"{self.url}/api/v1/jobs/{job['id']}?wait=20s")
        return dict(done)

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return int(self.process.wait(60))


@contextmanager
def up(data: Path, *options: str) -> Iterator[Up]:
    running = Up(data, *options)
    try:
        running.wait_ready()
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()


def test_up_runs_jobs_revives_the_dead_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with up(tmp_path) as running:
        done = running.run_job()
        assert (done["status"], done["result"]) == ("success", 84)
        worker = next(child for child in running.children if "worker" in child.cmdline())
        worker.kill()
        wait_until_blocking(lambda: "worker ended with -9; it is started" in running.log.read_text(), "it is told")
        assert running.run_job()["status"] == "success"
        children = running.process.children()
        assert running.interrupt() == 0
        assert not any(child.is_running() for child in children)
    with up(tmp_path) as again:
        status, found = http("GET", f"{again.url}/api/v1/jobs/{done['id']}")
        assert (status, found["result"]) == (200, 84)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One for tests that leave it as it is; its data is in the folder ``data`` beside its log."""
    with up(tmp_path_factory.mktemp("undisturbed"), "--storage=memory") as running:
        yield running


def test_memory_mode_is_one_process_beside_the_broker(tmp_path: Path) -> None:
    with up(tmp_path, "--storage=memory") as running:
        assert running.run_job()["result"] == 84
        assert len(running.children) == 1
        assert running.interrupt() == 0


@pytest.mark.parametrize("storage", ["redis", "memory"])
def test_an_app_is_served_in_the_queues_that_its_handlers_name(tmp_path: Path, storage: str) -> None:
    with up(tmp_path, f"--storage={storage}", "--app=tests.cli.handlers:app") as running:
        for queue in ("greetings", "default"):
            done = running.run_job(type="greet", payload={"name": "Ada"}, queue=queue)
            assert (done["status"], done["result"]) == ("success", "Hello, Ada!")
        assert running.interrupt() == 0


def test_children_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    with up(tmp_path, "--storage=memory") as running:
        running.process.kill()
        wait_until_blocking(lambda: not running.children[0].is_running(), "the broker is gone, too")


def test_a_data_folder_serves_one_at_a_time(undisturbed: Up) -> None:
    command = [*GOTASK, "up", f"--data={undisturbed.log.parent / 'data'}"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert f"is in use by process {undisturbed.process.pid}" in told.stderr


def test_a_taken_port_is_named_with_its_option(undisturbed: Up, tmp_path: Path) -> None:
    port = undisturbed.url.rsplit(":", 1)[1]
    command = [*GOTASK, "up", f"--data={tmp_path}", f"--http-port={port}"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert f"port {port} is taken; choose another with --http-port" in told.stderr


@pytest.mark.parametrize(
    ("arguments", "environment", "complaint"),
    [
        (["gateway", "--http-port", "99999"], {}, "GOTASK_HTTP_PORT: "),
        (["worker"], {"GOTASK_QUEUES": "bad queue"}, "GOTASK_QUEUES: 'bad queue': use 1 to 64"),
        (["worker", "nothing_here:app"], {}, "no module 'nothing_here'"),
        (["queue-manager", "--storage", "memory"], {}, "GOTASK_STORAGE: memory storage lives in one process"),
    ],
)
def test_a_wrong_setting_stops_the_start_and_is_named(
    arguments: list[str], environment: dict[str, str], complaint: str
) -> None:
    told = subprocess.run(
        [*GOTASK, *arguments], capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )
    assert told.returncode == 2
    assert complaint in told.stderr


def test_the_demo_ends_well(tmp_path: Path) -> None:
    told = subprocess.run(
        [*GOTASK, "demo", "--once", f"--data={tmp_path}"], capture_output=True, text=True, check=False, timeout=100
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert re.search(r"math: 42 x 2 +│ success +│ 84", told.stdout)
    assert "1000 success" in told.stdout
