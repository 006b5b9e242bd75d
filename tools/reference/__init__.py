"""Pages of docs/reference that are written from what they describe.

``python -m tools.reference`` writes them; with ``--check`` it only says which are stale.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from tools.reference.calls import grpc_page
from tools.reference.rest import rest_page
from tools.reference.settings import settings_page

ROOT = Path(__file__).parents[2]
PAGES: Mapping[str, Callable[[], str]] = {
    "docs/reference/settings.md": settings_page,
    "docs/reference/rest.md": rest_page,
    "docs/reference/grpc.md": lambda: grpc_page(ROOT / "proto"),
}


def stale(root: Path) -> list[str]:
    """The pages below *root* that are not what they describe: changed, or missing."""
    return [name for name, page in PAGES.items() if not _is(root / name, page())]


def write(root: Path) -> None:
    """Writes all pages below *root*."""
    for name, page in PAGES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(page())


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text() == text
