"""Every block of README.md and docs/ does what it says."""

from pathlib import Path

import pytest

from tests.docs.blocks import blocks, pages
from tests.docs.reading import Reader
from tests.docs.town import Town

_WITH_BLOCKS = [page for page in pages() if blocks(page)]


@pytest.mark.parametrize("page", _WITH_BLOCKS)
def test_what_a_page_shows_works(page: str, town: Town, tmp_path: Path) -> None:
    reader = Reader(town, tmp_path)
    try:
        for block in blocks(page):
            try:
                reader.read(block)
            except BaseException as error:
                error.add_note(f"in the {block.language} block at {block.place}")
                raise
        reader.finish()
    finally:
        reader.close()
        town.tidy()
