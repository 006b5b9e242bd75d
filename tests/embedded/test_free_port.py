"""Ports for servers that are about to start."""

import os
import random
import socket
import subprocess
import sys

import pytest

from gotask.embedded import free_port

_SHOW = "from gotask.embedded import free_port; print(*{free_port() for _ in range(50)})"


def test_nobody_is_given_the_port_of_another_that_does_not_listen_yet() -> None:
    assert len({free_port() for _ in range(1_000)}) == 1_000


def test_what_others_do_with_random_numbers_does_not_matter() -> None:
    random.seed(0)
    first = free_port()
    random.seed(0)
    assert free_port() != first


def test_it_can_be_listened_on() -> None:
    with socket.create_server(("127.0.0.1", free_port())):
        pass


def test_a_process_keeps_to_the_part_that_is_its_own() -> None:
    shown = _run("30000-30199")
    assert {int(port) // 200 for port in shown.stdout.split()} == {150}


@pytest.mark.parametrize("wrong", ["30000", "a-b", "1-2-3"])
def test_a_part_that_is_none_is_said(wrong: str) -> None:
    assert f"GOTASK_FREE_PORTS is '{wrong}'" in _run(wrong).stderr


def _run(ports: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "GOTASK_FREE_PORTS": ports}
    return subprocess.run(
        [sys.executable, "-c", _SHOW], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
