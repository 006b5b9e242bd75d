"""docs/verbs.md tells the truth: every test that it names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
_PLACES = {
    "REST": ("tests/services/gateway",),
    "gRPC": ("tests/services/gateway",),
    "NATS": ("tests/services/nats_door", "tests/sdk/client"),
    "Client": ("tests/sdk/client",),
    "CLI": ("tests/cli",),
}


def _cells() -> list[tuple[str, str, str]]:
    """Verb, door and what its cell says."""
    lines = (ROOT / "docs/verbs.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    (_, *doors), *verbs = rows
    return [(verb, door, cell) for verb, *cells in verbs for door, cell in zip(doors, cells, strict=True)]


def _has(place: str, test: str) -> bool:
    file, _, name = test.partition("::")
    path = ROOT / place / file
    return path.is_file() and re.search(rf"^(async )?def {name}\(", path.read_text(), re.MULTILINE) is not None


@pytest.mark.parametrize(("verb", "door", "cell"), _cells())
def test_the_test_of_each_verb_is_there(verb: str, door: str, cell: str) -> None:
    assert cell == "–" or any(_has(place, cell.strip("`")) for place in _PLACES[door])


def test_no_verb_is_without_a_door() -> None:
    doors: dict[str, int] = {}
    for verb, _, cell in _cells():
        doors[verb] = doors.get(verb, 0) + (cell != "–")
    assert min(doors.values()) >= 1
    assert len(doors) >= 25
