"""A stack of real processes."""

from collections.abc import Iterator

import pytest

from tests.support.stack import Stack

WORKER = ["--concurrency", "200", "--queues", "default,critical"]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Its parts may be killed by a test that starts them again."""
    running = Stack(tmp_path_factory.mktemp("stack"), WORKER)
    try:
        running.start()
        yield running
    finally:
        running.kill()
