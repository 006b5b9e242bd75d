"""One server that these tests may disturb, one at a time."""

from collections.abc import Iterator

import pytest

from tests.storage.redis.servers import running
from tests.support.servers import ServerProcess


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server whose settings a test may change, if it changes them back."""
    with running(tmp_path_factory.mktemp("redis")) as server:
        yield server
