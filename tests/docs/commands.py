"""The commands in a block of shell."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

_SHELL_ONLY = re.compile(r"[|&;<>$`*?]")
_EXIT_CODE = re.compile(r"# exit code (\d+)")


@dataclass(frozen=True, slots=True)
class Command:
    """One command, which may go over several lines."""

    text: str

    @property
    def words(self) -> list[str]:
        return shlex.split(self.text, comments=True)

    @property
    def program(self) -> str:
        return self.words[0]

    @property
    def is_plain(self) -> bool:
        """Whether a shell does no more to it than to split it."""
        bare = re.sub(r"'[^']*'", "", self.text)
        return not _SHELL_ONLY.search(bare.partition(" #")[0])

    @property
    def exit_code(self) -> int:
        """What its remark says; else 0."""
        found = _EXIT_CODE.search(self.text)
        return int(found[1]) if found else 0


def commands(text: str) -> Iterator[Command]:
    """Those of a block; empty lines and remarks are none."""
    lines: list[str] = []
    for line in text.splitlines():
        if not lines and (not line.strip() or line.lstrip().startswith("#")):
            continue
        lines.append(line)
        if _is_whole("\n".join(lines)):
            yield Command("\n".join(lines))
            lines = []
    if lines:
        raise AssertionError(f"this command does not end: {lines}")


def _is_whole(text: str) -> bool:
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return False
    return not text.endswith("\\")
