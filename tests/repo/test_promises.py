"""The table of promises names tests that exist."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_DOCUMENT = ROOT / "docs/promises.md"
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def _rows() -> list[str]:
    """Without heads and rules."""
    rows = [line for line in _DOCUMENT.read_text().splitlines() if line.startswith("| ")]
    return [row for row in rows if row != "| Promise | Tests |"]


def _tests_of(path: str) -> set[str]:
    if not (ROOT / path).is_file():
        return set()
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_promise_names_a_test() -> None:
    assert len(_rows()) > 50
    assert [row for row in _rows() if not _TEST.search(row.rsplit("|", 2)[1])] == []


def test_every_named_test_exists() -> None:
    named = {(path, name) for row in _rows() for path, name in _TEST.findall(row)}
    there = {path: _tests_of(path) for path, _ in named}
    assert sorted(f"{path}::{name}" for path, name in named if name not in there[path]) == []
