"""Sees when code changes."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

_LOOK_S = 0.25
_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})
_ENVIRONMENT = "pyvenv.cfg"

_Stamp = tuple[int, int]


class Changes:
    """The .py files below some folders, by size and time of change. Hidden folders and installed packages do not
    count."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._seen = self._stamps()

    async def next(self) -> list[Path]:
        """Returns the files that have changed, appeared or gone since it was last called, once there are some and
        nothing more changes."""
        before = self._seen
        while await self._changes_within(_LOOK_S) or self._seen == before:
            pass
        now = self._seen
        return sorted(path for path in before.keys() | now.keys() if before.get(path) != now.get(path))

    async def _changes_within(self, seconds: float) -> bool:
        await asyncio.sleep(seconds)
        before, self._seen = self._seen, self._stamps()
        return self._seen != before

    def _stamps(self) -> dict[Path, _Stamp]:
        return {path: stamp for folder in self._folders for path in _sources(folder) if (stamp := _stamp(path))}


def _sources(top: Path) -> Iterator[Path]:
    for folder, subfolders, files in os.walk(top):
        if _ENVIRONMENT in files:
            subfolders.clear()
            continue
        subfolders[:] = [name for name in subfolders if not (name.startswith(".") or name in _SKIPPED)]
        yield from (Path(folder, name) for name in files if name.endswith(".py"))


def _stamp(path: Path) -> _Stamp | None:
    """None for a file that is gone again."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
