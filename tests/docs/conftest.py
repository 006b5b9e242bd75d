"""One GoTask for all pages."""

from collections.abc import Iterator

import pytest

from tests.docs.town import Town


@pytest.fixture(scope="package")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A stack that pages leave as they found it."""
    town = Town(tmp_path_factory.mktemp("docs"))
    try:
        town.stack.start()
        yield town
    finally:
        town.stack.kill()
