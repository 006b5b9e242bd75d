"""``gotask workers``."""

from typing import Any

import pytest

from tests.cli.conftest import Gotask
from tests.support.waiting import wait_until_blocking


def the_worker(gotask: Gotask, *way: str) -> dict[str, Any]:
    """The only one, once it was heard of."""
    found = wait_until_blocking(lambda: gotask.json("workers", "list", *way)["items"], "the worker is heard of")
    assert len(found) == 1
    worker: dict[str, Any] = found[0]
    return worker


def test_workers_are_listed(gotask: Gotask) -> None:
    worker = the_worker(gotask)
    assert worker["concurrency"] == 50
    assert worker["id"] in gotask("workers", "list").stdout
    assert gotask.json("workers", "get", worker["id"])["types"] == worker["types"]
    assert worker["id"] in gotask("workers", "get", worker["id"]).stdout


@pytest.mark.parametrize("door", ["url", "grpc_url"])
def test_a_worker_is_drained_and_taken_back(gotask: Gotask, door: str) -> None:
    way = ("--url", getattr(gotask, door))
    worker = the_worker(gotask, *way)
    try:
        assert gotask.json("workers", "drain", worker["id"], *way)["draining"] is True
        wait_until_blocking(lambda: "draining" in gotask("workers", "list", *way).stdout, "the list shows it")
        job = gotask.json("submit", "echo", '{"message": "later"}', *way)
        assert gotask.json("jobs", "get", job["id"], *way)["status"] == "pending"
    finally:
        resumed = gotask("workers", "resume", worker["id"], *way)
    assert resumed.exit_code == 0
    assert "draining     no" in resumed.stdout
    assert gotask.json("jobs", "wait", job["id"], "--timeout", "20s", *way)["status"] == "success"


@pytest.mark.parametrize("verb", ["get", "drain", "resume"])
def test_a_worker_that_is_not_there(gotask: Gotask, verb: str) -> None:
    gone = gotask("workers", verb, "nobody")
    assert (gone.exit_code, "no worker 'nobody' was heard of lately" in gone.stderr) == (4, True)
    assert gotask("workers", verb).exit_code == 2
