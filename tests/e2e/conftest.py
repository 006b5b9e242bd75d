"""Stacks of real processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.stack import Stack

WORKER = ["--concurrency", "200", "--queues", "default,critical"]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack for tests that do not disturb it."""
    running = Stack(tmp_path_factory.mktemp("stack"), WORKER)
    try:
        running.start()
        yield running
    finally:
        running.kill()


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[Stack]:
    """A stack whose parts the test may kill."""
    running = Stack(tmp_path, WORKER)
    try:
        running.start()
        yield running
    finally:
        running.kill()
