"""``gotask queues``, ``gotask top``."""

from tests.cli.conftest import Gotask


def test_a_queue_lives(gotask: Gotask) -> None:
    made = gotask("queues", "create", "mail", "--max-workers", "3", "--retry-delay", "5s", "--no-dead-letter")
    assert made.exit_code == 0
    assert "max workers" in made.stdout
    changed = gotask.json("queues", "update", "mail", "--rate-limit", "2.5", "--timeout", "1m")
    assert changed["rate_limit"] == 2.5
    assert (changed["max_workers"], changed["retry_delay"], changed["timeout"]) == (3, "5s", "1m")
    assert changed["dead_letter"] is False
    assert gotask.json("queues", "pause", "mail")["paused"] is True
    assert "paused" in gotask("queues", "list").stdout
    assert gotask.json("queues", "resume", "mail")["paused"] is False
    gotask.json("submit", "echo", "--queue", "mail", "--delay", "1h")
    assert gotask("queues", "stats", "mail").stdout.split()[-10:-7] == ["mail", "0", "0"]
    (stats,) = gotask.json("queues", "stats", "mail")
    assert (stats["name"], stats["scheduled"]) == ("mail", 1)
    assert {each["name"] for each in gotask.json("queues", "stats")} >= {"default", "mail"}
    assert {each["name"] for each in gotask.json("queues", "list")["items"]} >= {"default", "mail"}
    refused = gotask("queues", "delete", "mail")
    assert (refused.exit_code, "jobs wait or run in queue 'mail'" in refused.stderr) == (1, True)


def test_an_empty_queue_is_deleted(gotask: Gotask) -> None:
    gotask.json("queues", "create", "short-lived")
    assert gotask("queues", "create", "short-lived").exit_code == 1
    assert gotask("queues", "delete", "short-lived").exit_code == 0
    gone = gotask("queues", "get", "short-lived")
    assert (gone.exit_code, "there is no queue 'short-lived'" in gone.stderr) == (4, True)


def test_a_queue_is_purged_after_a_question(gotask: Gotask) -> None:
    for _ in range(2):
        gotask.json("submit", "echo", "--queue", "full", "--delay", "1h")
    kept = gotask("queues", "purge", "full", stdin="n\n")
    assert (kept.exit_code, "Cancel 2 waiting jobs of full?" in kept.stderr) == (1, True)
    assert gotask("queues", "purge", "full", stdin="y\n").stdout.endswith("2 jobs are cancelled\n")
    assert gotask.json("queues", "purge", "full", "--yes") == {"cancelled": 0, "complete": True}
    gone = gotask("queues", "purge", "nowhere", "--yes")
    assert (gone.exit_code, "there is no queue 'nowhere'" in gone.stderr) == (4, True)


def test_wrong_settings_name_their_flags(gotask: Gotask) -> None:
    told = gotask("queues", "create", "x", "--weight", "0")
    assert (told.exit_code, told.stderr.startswith("gotask: --weight: ")) == (2, True)
    told = gotask("queues", "create", "x", "--lease", "long")
    assert (told.exit_code, "--lease" in told.stderr) == (2, True)
    assert gotask("queues", "update", "default").exit_code == 2


def test_the_live_picture(gotask: Gotask) -> None:
    (worker,) = gotask.json("workers", "list")["items"]
    picture = gotask("top", "--once").stdout
    for text in ("pending", "slots of 1 workers", "QUEUE", "default", worker["id"]):
        assert text in picture
    assert gotask.json("top").keys() == {"queues", "workers"}
