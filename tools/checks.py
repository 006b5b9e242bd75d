"""Every check that needs no server, with one line for each: ``python -m tools.checks``."""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
_BIN = Path(sys.executable).parent

CHECKS: dict[str, list[str | Path]] = {
    "ruff check": [_BIN / "ruff", "check", "--quiet"],
    "ruff format": [_BIN / "ruff", "format", "--check", "--quiet"],
    "mypy": [_BIN / "mypy"],
    "import-linter": [_BIN / "lint-imports"],
    "proto is current": [sys.executable, "-m", "tools.proto", "--check"],
    "proto is compatible": [sys.executable, "-m", "tools.compatibility"],
    "reference is current": [sys.executable, "-m", "tools.reference", "--check"],
    "locks are current": [sys.executable, "-m", "tools.locks", "--check"],
    "no leaks": [sys.executable, "-m", "tools.leaks"],
}


def run(name: str, command: list[str | Path]) -> bool:
    """Runs one check and prints how it ended; its own output only when it failed."""
    start = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    ok = done.returncode == 0
    print(f"{'ok    ' if ok else 'FAILED'}  {name:<20} {time.monotonic() - start:5.1f} s", flush=True)
    if not ok:
        print(done.stdout + done.stderr, flush=True)
    return ok


def main() -> int:
    """The exit code: 1 when a check failed; all of them run in any case."""
    failed = [name for name, command in CHECKS.items() if not run(name, command)]
    if failed:
        print(f"{len(failed)} of {len(CHECKS)} checks failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
