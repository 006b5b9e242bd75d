"""Pages of docs/reference that are written from what they describe.

``python -m tools.reference`` writes them; with ``--check`` it only says which are stale.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from tools.reference.calls import grpc_page
from tools.reference.rest import rest_page
from tools.reference.settings import settings_page

ROOT = Path(__file__).parents[2]
_PAGES: Mapping[str, Callable[[], str]] = {
    "docs/reference/settings.md": settings_page,
    "docs/reference/rest.md": rest_page,
    "docs/reference/grpc.md": lambda: grpc_page(ROOT / "proto"),
}


def rendered() -> dict[str, str]:
    """The text of each page, by its path."""
    return {name: page() for name, page in _PAGES.items()}


def stale(root: Path, pages: Mapping[str, str]) -> list[str]:
    """The *pages* below *root* that are changed or missing there."""
    return [name for name, text in pages.items() if not _is(root / name, text)]


def write(root: Path, pages: Mapping[str, str]) -> None:
    """Writes *pages* below *root*."""
    for name, text in pages.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text() == text
