"""Logs: what they say of jobs, and what they never say."""

import os
import pty
import subprocess
import sys
from typing import Any

import orjson
import pytest

from tests.observability.conftest import CANARY
from tests.support.stack import SERVICES, ServiceProcess, Stack
from tests.support.waiting import wait_until_blocking

TALK = ["by the context's logger", "by structlog", "by the standard library"]


def lines(stack: Stack, service: str) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in stack.services[service].log.read_bytes().splitlines()]


def run(stack: Stack, **job: Any) -> dict[str, Any]:
    _, document = stack.post("/jobs", job)
    ended: dict[str, Any] = stack.get(f"/jobs/{document['id']}?wait=30s")
    return ended


@pytest.mark.parametrize("job_type", ["talkative", "talkative_thread"])
def test_every_line_of_a_handler_says_which_job_it_is_about(seen: Stack, job_type: str) -> None:
    job = run(seen, type=job_type)

    def about_it() -> list[dict[str, Any]]:
        found = [line for line in lines(seen, "worker") if line.get("job_id") == job["id"]]
        return found if len(found) >= len(TALK) else []

    found = wait_until_blocking(about_it, "its lines are logged")
    assert [line["event"] for line in found] == TALK
    for line in found:
        assert (line["queue"], line["type"], line["attempt"]) == ("default", job_type, 1)
        assert len(line["trace_id"]) == 32
        assert (line["level"], line["service"]) == ("info", "worker")
        assert line["timestamp"].endswith("Z")
    assert [line.get("extra_field") for line in found] == [1, None, 2]


def test_a_failed_attempt_is_logged_without_what_it_may_quote(seen: Stack) -> None:
    job = run(seen, type="leaky", payload={"password": CANARY}, max_retries=1, retry_delay="10ms")
    assert job["status"] == "dead"
    failures = [
        (line["attempt"], line["error"], line["level"])
        for line in lines(seen, "worker")
        if line.get("job_id") == job["id"] and line["event"] == "attempt failed"
    ]
    assert failures == [(1, "ValueError", "warning"), (2, "NoRetry", "warning")]
    for service in SERVICES:
        assert CANARY not in seen.services[service].log.read_text()
        assert lines(seen, service)


def test_payloads_are_logged_when_asked_for(seen: Stack) -> None:
    asked = ServiceProcess(
        "worker",
        ["tests.observability.handlers:app", "--queues", "open", "--log-payloads"],
        seen.environment,
        seen.services["worker"].log.with_name("asked.log"),
    )
    asked.start()
    try:
        asked.wait_ready()
        run(seen, type="leaky", queue="open", payload={"password": "shown"}, max_retries=0)
        text = asked.log.read_text()
        assert '"payload": "{\\"password\\":\\"shown\\"}"' in text
        assert "cannot log in with shown" in text
    finally:
        asked.kill()


@pytest.mark.parametrize("service", ["queue-manager", "worker"])
def test_a_start_that_fails_shows_no_password(service: str) -> None:
    environment = {
        **os.environ,
        "GOTASK_NATS_URL": f"nats://user:{CANARY}@127.0.0.1:1",
        "GOTASK_REDIS_ADDR": f"redis://:{CANARY}@127.0.0.1:1",
        "GOTASK_NATS_TOKEN": CANARY,
        "GOTASK_START_TIMEOUT": "300ms",
    }
    command = [sys.executable, "-m", "gotask.cli", service]
    told = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert told.returncode == 1
    assert "no NATS with JetStream answered at nats://127.0.0.1:1 within" in told.stderr
    assert CANARY not in told.stderr + told.stdout


def test_people_get_colours_and_machines_json() -> None:
    environment = {**os.environ, "GOTASK_NATS_URL": "nats://127.0.0.1:1", "GOTASK_START_TIMEOUT": "100ms"}
    command = [sys.executable, "-m", "gotask.cli", "worker"]
    piped = subprocess.run(command, capture_output=True, check=False, env=environment)
    assert orjson.loads(piped.stderr.splitlines()[-1])["event"] == "cannot start"
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stderr=theirs, env={**environment, "TERM": "xterm"})
    os.close(theirs)
    shown = b""
    while b"cannot start" not in shown:
        shown += os.read(ours, 4096)
    process.wait(30)
    assert b"\x1b[" in shown
