"""Starting another Python that finds the same modules."""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_SET_PARENT_DEATH_SIGNAL = 1


def python_command(module: str, function: str, arguments: Sequence[str]) -> list[str]:
    """The command line that calls ``module.function(arguments)`` and exits with what it returns.

    The new interpreter searches where this one does, however this one came to its path.
    """
    code = (
        f"import sys; sys.path[:] = {sys.path!r}; from {module} import {function}; sys.exit({function}(sys.argv[1:]))"
    )
    return [sys.executable, "-c", code, *arguments]


def end_with_parent(parent: int, number: signal.Signals) -> None:
    """Linux: the kernel sends this process the signal *number* when process *parent*, which started it, is gone."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, number)
    if os.getppid() != parent:
        os.kill(os.getpid(), number)
