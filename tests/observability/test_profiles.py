"""``--profile`` writes where a service spent its time."""

import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest

from gotask.service.profile import profiled
from tests.support.stack import SERVICES, ServiceProcess, Stack


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_writes_a_profile_at_its_end(seen: Stack, tmp_path: Path, service: str) -> None:
    place = tmp_path / ("{service}.html" if service == "worker" else "{service}.json")
    apart = {"GOTASK_HTTP_PORT": "0", "GOTASK_GRPC_PORT": "0", "GOTASK_METRICS_PORT": "0"}
    arguments = ["--profile", str(place), "--namespace", "apart"]
    process = ServiceProcess(service, arguments, {**seen.environment, **apart}, tmp_path / "log")
    process.start()
    try:
        process.wait_ready()
        assert process.stop() == 0
    finally:
        process.kill()
    if service == "worker":
        assert "<html" in (tmp_path / "worker.html").read_text()
    else:
        profile = orjson.loads((tmp_path / f"{service}.json").read_bytes())
        assert profile["$schema"] == "https://www.speedscope.app/file-format-schema.json"
        assert profile["shared"]["frames"]


def test_what_is_brief_and_frequent_is_in_the_profile(tmp_path: Path) -> None:
    """As everything is that an event loop does."""

    def spend() -> None:
        end = time.perf_counter() + 0.003
        while time.perf_counter() < end:
            pass

    def receive() -> None:
        spend()

    def answer() -> None:
        spend()

    place = tmp_path / "profile.json"
    with profiled(str(place), "any"):
        for _ in range(200):
            receive()
            answer()
    frames = orjson.loads(place.read_bytes())["shared"]["frames"]
    assert {"receive", "answer"} <= {frame["name"] for frame in frames}


@pytest.mark.parametrize(
    ("place", "complaint"),
    [
        ("profile.txt", "GOTASK_PROFILE: String should match pattern"),
        ("/nowhere/profile.html", "GOTASK_PROFILE: /nowhere/profile.html cannot be written: No such file or directory"),
    ],
)
def test_a_profile_that_cannot_be_written_stops_the_start(place: str, complaint: str) -> None:
    command = [sys.executable, "-m", "gotask.cli", "scheduler", "--profile", place]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert complaint in told.stderr
