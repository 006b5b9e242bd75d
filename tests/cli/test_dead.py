"""``gotask dead``."""

import pytest

from tests.cli.conftest import Gotask


@pytest.mark.parametrize(("way", "queue"), [("nats", "maintenance"), ("grpc", "reports")])
def test_dead_letters_are_seen_to(gotask: Gotask, way: str, queue: str) -> None:
    through = gotask if way == "nats" else Gotask(gotask.grpc_url, gotask.grpc_url)
    ids = [
        through.json("submit", "fail", '{"times": 9}', "--queue", queue, "--max-retries", "0")["id"],
        through.json("submit", "nobody-knows", "null", "--queue", queue, "--max-retries", "0")["id"],
    ]
    assert through("jobs", "wait", *ids, "--timeout", "30s").exit_code == 1
    through.json("queues", "pause", queue)
    found = through.json("dead", "list", queue)["items"]
    assert [each["id"] for each in found] == ids[::-1]
    error_type = found[1]["error"]["type"]
    assert [each["id"] for each in through.json("dead", "list", queue, "--error-type", error_type)["items"]] == ids[:1]
    assert error_type in through("dead", "list", queue, "--type", "fail").stdout
    assert through.json("dead", "retry", queue, ids[0]) == {"retried": 1, "complete": True}
    assert through.json("jobs", "get", ids[0])["status"] == "pending"
    assert through("dead", "retry", queue, "--error-type", "None").stdout == "0 dead letters are retried\n"
    assert through.json("dead", "purge", queue) == {"purged": 1, "complete": True}
    assert through("jobs", "get", ids[1]).exit_code == 4


def test_a_queue_that_is_not_there(gotask: Gotask) -> None:
    for verb in ("list", "retry", "purge"):
        told = gotask("dead", verb, "nowhere")
        assert (told.exit_code, "there is no queue 'nowhere'" in told.stderr) == (4, True)
