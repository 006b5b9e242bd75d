"""Finds paths of one developer's machine and hosts of package registries in the repository's files.

A lock file with an index address installs nowhere else, and an absolute path works nowhere else.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
_PATHS = r"(?<![\w.~}-])/(?:root|work|home/\w+|Users/\w+)/\w"
# Written apart, so that this file passes its own check.
_HOSTS = "|".join(
    (r"pypi\." + "org", r"python" + r"hosted\.org", r"registry\." + r"npmjs\.\w+", r"test\.pypi\." + "org")
)
_LEAK = re.compile(f"{_PATHS}|{_HOSTS}")


def leaks(text: str) -> Iterator[tuple[int, str]]:
    """Line numbers, from 1, and what was found there."""
    for number, line in enumerate(text.splitlines(), 1):
        for match in _LEAK.finditer(line):
            yield number, match[0]


def repository_files(root: Path) -> list[Path]:
    """What git tracks or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout
    return [path for name in listed.decode().split("\0") if name and (path := root / name).is_file()]


def main() -> int:
    """The exit code: 1 when something was found."""
    found = 0
    for path in repository_files(ROOT):
        for line, leak in leaks(path.read_text(errors="replace")):
            print(f"{path.relative_to(ROOT)}:{line}: {leak}", file=sys.stderr)
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
