"""``gotask schedules``."""

from collections.abc import Iterator

import pytest

from tests.cli.conftest import Gotask


@pytest.fixture(params=["nats", "grpc"])
def through(request: pytest.FixtureRequest, gotask: Gotask) -> Iterator[Gotask]:
    """Commands over each way; no schedule stays."""
    chosen = gotask if request.param == "nats" else Gotask(gotask.grpc_url, gotask.grpc_url)
    yield chosen
    for each in chosen.json("schedules", "list")["items"]:
        chosen("schedules", "delete", each["id"])


def test_a_schedule_lives(through: Gotask) -> None:
    gotask = through
    options = ["--timezone", "Europe/Berlin", "--overlap", "skip", "--tag", "night", "--metadata", "team=a"]
    made = gotask.json("schedules", "create", "nightly", "0 2 * * *", "echo", '{"n": 1}', *options, "--jitter", "5s")
    assert (made["name"], made["cron_expr"], made["payload"]) == ("nightly", "0 2 * * *", {"n": 1})
    assert (made["timezone"], made["overlap"], made["jitter"]) == ("Europe/Berlin", "skip", "5s")
    assert (made["tags"], made["metadata"]) == (["night"], {"team": "a"})
    taken = gotask("schedules", "create", "nightly", "@daily", "echo")
    assert (taken.exit_code, "there is another schedule 'nightly'" in taken.stderr) == (1, True)
    changed = gotask.json("schedules", "update", made["id"], "--cron", "@hourly", "--payload", "[2]")
    assert (changed["cron_expr"], changed["payload"], changed["jitter"]) == ("@hourly", [2], "5s")
    replaced = gotask.json("schedules", "replace", made["id"], "daily", "@daily", "echo")
    assert (replaced["name"], replaced["payload"], replaced["jitter"]) == ("daily", None, "0s")
    assert gotask.json("schedules", "pause", made["id"])["next_fire_at"] is None
    assert "paused" in gotask("schedules", "list").stdout
    assert gotask.json("schedules", "resume", made["id"])["paused"] is False
    assert [each["name"] for each in gotask.json("schedules", "list")["items"]] == ["daily"]
    assert gotask("schedules", "delete", made["id"]).exit_code == 0
    gone = gotask("schedules", "get", made["id"])
    assert (gone.exit_code, f"there is no schedule {made['id']}" in gone.stderr) == (4, True)


def test_it_is_run_by_hand(through: Gotask) -> None:
    made = through.json("schedules", "create", "by-hand", "@yearly", "echo", '"hello"')
    (fire,) = through.json("schedules", "run", made["id"])["fires"]
    assert fire["kind"] == "manual"
    assert through.json("jobs", "wait", fire["job_id"], "--timeout", "30s")["result"] == "hello"
    assert through.json("schedules", "get", made["id"])["fires"][0]["status"] == "success"
    shown = through("schedules", "get", made["id"]).stdout
    for text in ("by-hand", "@yearly", fire["job_id"], "manual", "success"):
        assert text in shown


def test_wrong_input_names_what_is_wrong(gotask: Gotask) -> None:
    for arguments, where in {
        ("create", "x", "61 * * * *", "echo"): "cron",
        ("create", "x", "@daily", "echo", "{"): "PAYLOAD",
        ("create", "x", "@daily", "echo", "--timezone", "Mars"): "--timezone",
        ("create", "x", "@daily", "echo", "--missed", "maybe"): "--missed",
        ("create", "x", "@daily", "echo", "--jitter", "long"): "--jitter",
        ("update", "019f0000-0000-7000-8000-000000000000"): "at least one",
    }.items():
        told = gotask("schedules", *arguments)
        assert (told.exit_code, where in told.stderr) == (2, True), (arguments, told.stderr)
