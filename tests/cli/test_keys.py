"""``gotask keys``: what a gateway will ask for."""

import re
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from gotask.cli.main import app
from gotask.gateway.access.caller import Caller, Scope
from gotask.gateway.access.keys import ApiKeys, KeyFile


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def run(file: Path, *arguments: str) -> tuple[int, str]:
    """The exit code, and what was printed."""
    done = CliRunner().invoke(app, ["keys", *arguments], env={"GOTASK_API_KEYS_FILE": str(file), "COLUMNS": "200"})
    return done.exit_code, done.output


def test_a_key_is_created_listed_and_revoked(file: Path) -> None:
    code, text = run(
        file, "create", "ops", "--scope=read", "--scope=manage", "--queue=mail", "--rate=5", "--expires-in=90d"
    )
    assert code == 0
    key = text.strip()
    assert re.fullmatch(r"gtk_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", key)
    caller = ApiKeys(KeyFile(file)).caller(key, 0)
    assert caller
    assert caller == Caller(f"ops ({key.split('_')[1]})", frozenset({Scope.READ, Scope.MANAGE}), frozenset({"mail"}), 5)
    code, table = run(file, "list")
    key_id = key.split("_")[1]
    assert (code, key_id in table, "mail" in table, key in table) == (0, True, True, False)
    (shown,) = orjson.loads(run(file, "list", "--json")[1])
    assert (shown["id"], shown["name"], "sha256" in shown) == (key_id, "ops", False)
    assert shown["expires_at_us"] - shown["created_at_us"] == 90 * 86_400_000_000
    assert run(file, "revoke", key_id)[0] == 0
    assert ApiKeys(KeyFile(file)).caller(key, 0) is None
    assert orjson.loads(run(file, "list", "--json")[1]) == []


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["create", "a"], "--scope"),
        (["create", "a", "--scope=all"], "all"),
        (["create", "a", "--scope=read", "--queue=a.b"], "queues.0"),
        (["create", "", "--scope=read"], "name"),
        (["create", "a", "--scope=read", "--expires-in=soon"], "not a duration"),
        (["revoke", "0123"], "no key"),
    ],
)
def test_what_is_wrong_is_named(file: Path, arguments: list[str], reason: str) -> None:
    code, told = run(file, *arguments)
    assert (code, reason in told) == (2, True)
    assert not file.exists()


def test_a_file_that_is_none_is_named(file: Path) -> None:
    file.write_text("[]")
    for arguments in (["create", "a", "--scope=read"], ["list"], ["revoke", "a"]):
        code, told = run(file, *arguments)
        assert (code, "keys.json" in told) == (2, True)
    assert file.read_text() == "[]"
