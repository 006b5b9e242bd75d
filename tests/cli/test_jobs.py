"""``gotask submit`` and ``gotask jobs``."""

import orjson
import pytest

from tests.cli.conftest import Gotask

NOBODY = "019f0000-0000-7000-8000-000000000000"


def test_a_job_is_submitted_and_shown(gotask: Gotask) -> None:
    shown = gotask("submit", "echo", '{"a": 1}', "--queue", "shown", "--delay", "1h", "--tag", "x", "--metadata", "k=v")
    assert shown.exit_code == 0
    assert "scheduled" in shown.stdout
    (job,) = gotask.json("jobs", "list", "--queue", "shown")["items"]
    assert (job["type"], job["payload"], job["tags"], job["metadata"]) == ("echo", {"a": 1}, ["x"], {"k": "v"})
    full = gotask("jobs", "get", job["id"])
    assert full.exit_code == 0
    for text in (job["id"], '{"a":1}', "0 of 4", "due"):
        assert text in full.stdout
    assert gotask.json("jobs", "get", job["id"])["history"] == []


def test_a_job_is_awaited(gotask: Gotask) -> None:
    done = gotask.json("submit", "math", '{"operation": "multiply", "a": 42, "b": 2}', "--wait")
    assert (done["status"], done["result"]) == ("success", 84)
    assert gotask("jobs", "result", done["id"]).stdout == "84\n"
    table = gotask("jobs", "list", "--status", "success", "--limit", "1")
    assert table.stdout.splitlines()[0].split() == ["ID", "TYPE", "QUEUE", "STATUS", "TRIES", "AGE", "RESULT"]


def test_a_payload_is_read_from_standard_input(gotask: Gotask) -> None:
    assert gotask.json("submit", "echo", "-", "--wait", stdin="[1, 2]")["result"] == [1, 2]


def test_a_job_that_fails_gives_1(gotask: Gotask) -> None:
    failed = gotask("submit", "fail", '{"times": 9, "message": "as asked"}', "--max-retries", "0", "--wait")
    assert failed.exit_code == 1
    assert "RuntimeError: as asked" in failed.stdout
    (dead,) = gotask.json("jobs", "list", "--status", "dead", "--type", "fail")["items"]
    assert gotask("jobs", "wait", dead["id"]).exit_code == 1
    result = gotask("jobs", "result", dead["id"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"job {dead['id']} (fail) ended dead: RuntimeError: as asked" in result.stderr


def test_waiting_too_long_gives_5(gotask: Gotask) -> None:
    job = gotask.json("submit", "echo", "--delay", "1h")
    late = gotask("jobs", "wait", job["id"], "--timeout", "50ms")
    assert late.exit_code == 5
    assert f"job {job['id']} is scheduled after 50ms" in late.stderr


def test_jobs_are_cancelled_retried_and_deleted(gotask: Gotask) -> None:
    ids = [gotask.json("submit", "echo", "--delay", "1h")["id"] for _ in range(3)]
    assert [job["status"] for job in gotask.json("jobs", "cancel", *ids)] == ["cancelled"] * 3
    again = gotask("jobs", "cancel", ids[0])
    assert (again.exit_code, "is cancelled already" in again.stderr) == (1, True)
    assert gotask("jobs", "retry", ids[0]).exit_code == 0
    assert gotask("jobs", "wait", ids[0]).exit_code == 0
    assert gotask("jobs", "delete", *ids).exit_code == 0
    mixed = gotask("jobs", "get", ids[0])
    assert (mixed.exit_code, mixed.stderr) == (4, f"gotask: id: there is no job {ids[0]}\n")


def test_pages_follow_each_other(gotask: Gotask) -> None:
    for _ in range(3):
        gotask.json("submit", "echo", "--queue", "paged", "--delay", "1h")
    first = gotask("jobs", "list", "--queue", "paged", "--limit", "2")
    assert len(first.stdout.splitlines()) == 3
    cursor = first.stderr.split()[-1]
    assert len(gotask("jobs", "list", "--queue", "paged", "--cursor", cursor).stdout.splitlines()) == 2


def test_many_jobs_are_loaded_from_lines(gotask: Gotask) -> None:
    lines = "\n".join(orjson.dumps({"type": "echo", "payload": n, "queue": "default"}).decode() for n in range(2_500))
    loaded = gotask("submit", "--file", "-", "--wait", stdin=lines)
    assert loaded.exit_code == 0, loaded.output
    assert "2500 submitted, 0 refused" in loaded.stderr
    assert loaded.stdout == "2500 success\n"


def test_lines_that_are_wrong_are_named(gotask: Gotask) -> None:
    lines = ['{"type": "echo"}', "", "{", '{"type": "echo", "priority": 256}', "[]", '{"payload": 1}']
    loaded = gotask("submit", "--file", "-", stdin="\n".join(lines))
    assert loaded.exit_code == 1
    assert "1 submitted, 4 refused" in loaded.stderr
    for text in ("line 3: is not JSON", "line 4: priority: ", "line 5: is not a JSON object", "line 6: type: is requ"):
        assert text in loaded.stderr
    told = [
        orjson.loads(line) for line in gotask("submit", "-f", "-", "--json", stdin="\n".join(lines)).stdout.splitlines()
    ]
    assert [line["line"] for line in told] == [1, 3, 4, 5, 6]
    assert told[0]["submission"] == "created"
    assert (told[2]["error"]["field"], told[2]["error"]["code"]) == ("priority", "invalid_argument")


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["submit", "echo", "{"], 2, "PAYLOAD"),
        (["submit", "a b"], 2, "type: "),
        (["submit", "echo", "--priority", "256"], 2, "--priority: Input should be less than or equal to 255"),
        (["submit", "echo", "--delay", "soon"], 2, "--delay"),
        (["submit", "echo", "--retry-strategy", "wild"], 2, "--retry-strategy: Input should be 'exponential'"),
        (["submit", "echo", "--metadata", "x"], 2, "--metadata"),
        (["submit"], 2, "TYPE"),
        (["submit", "echo", "--file", "x"], 2, "--file"),
        (["submit", "--file", "/not/there"], 2, "--file"),
        (["submit", "echo", "--wait-timeout", "1s"], 2, "--wait-timeout"),
        (["jobs", "list", "--status", "done"], 2, "--status: unknown state 'done'; known are scheduled, pending"),
        (["jobs", "list", "--limit", "0"], 2, "--limit: 0 is not between 1 and 500"),
        (["jobs", "list", "--cursor", "x"], 2, "--cursor: "),
        (["jobs", "list", "--url", "ftp://x"], 2, "--url (GOTASK_URL): 'ftp://x' is no address"),
        (["jobs", "list", "--namespace", "a b"], 2, "--namespace (GOTASK_NAMESPACE): "),
        (["jobs", "list", "--answer-within", "0"], 2, "--answer-within: must be longer than 0"),
        (["jobs", "get", NOBODY], 4, f"there is no job {NOBODY}"),
        (["jobs", "wait", NOBODY], 4, f"there is no job {NOBODY}"),
        (["jobs", "list", "--url", "nats://127.0.0.1:1", "--answer-within", "200ms"], 3, "no NATS let us in at nats"),
    ],
)
def test_what_went_wrong_is_told_with_a_code(gotask: Gotask, arguments: list[str], code: int, complaint: str) -> None:
    told = gotask(*arguments)
    assert told.exit_code == code, told.output
    assert complaint in told.stderr
    assert told.stdout == ""


def test_a_job_is_watched(gotask: Gotask) -> None:
    job = gotask.json("submit", "echo", "1")
    gotask("jobs", "wait", job["id"], "--timeout", "30s")
    told = gotask("jobs", "watch", job["id"])
    assert (told.exit_code, told.stdout) == (0, f"{job['id']} is success\n")
    assert gotask("jobs", "watch", "x").exit_code == 4


def test_events_go_on_from_a_cursor(gotask: Gotask) -> None:
    gotask.json("submit", "echo", "1", "--queue", "told", "--delay", "1h")
    first = gotask("events", "--cursor", "0", "--queue", "told", "--kind", "created", "--limit", "1", "--json")
    assert first.exit_code == 0
    event = orjson.loads(first.stdout)
    assert (event["kind"], event["queue"]) == ("created", "told")
    assert gotask("events", "--cursor", "x").exit_code == 2
