"""What the settings of a service say about its storage, before anything is connected."""

import importlib

import pytest

SERVICES = ("queue_manager", "scheduler", "metrics", "gateway")


def _start(service: str, *flags: str) -> int:
    code: int = importlib.import_module(f"gotask.{service}.main").main([*flags])
    return code


@pytest.mark.parametrize("service", SERVICES)
def test_memory_does_not_serve_a_service_of_its_own(service: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _start(service, "--storage", "memory") == 2
    told = capsys.readouterr().err
    assert "GOTASK_STORAGE: memory storage lives in one process" in told
    assert "gotask up --storage memory" in told
    assert "choose redis or postgres" in told


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://:secret@h", "unknown scheme 'http'"),
        ("redis://:secret@h/abc", "the database must be a number"),
        ("redis+sentinel://:secret@a,b", "the name of the master is missing"),
    ],
)
def test_a_wrong_address_of_redis_names_its_setting_and_not_its_password(
    address: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _start("scheduler", "--redis-addr", address) == 2
    told = capsys.readouterr().err
    assert f"GOTASK_REDIS_ADDR: {reason}" in told
    assert "secret" not in told
