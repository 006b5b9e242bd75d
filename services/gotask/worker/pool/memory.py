"""How much memory this process has used."""

import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_PEAK = "VmHWM:"


def peak_memory() -> int:
    """The most bytes of physical memory that this process has held at once.

    Linux tells it per program; what ``getrusage`` tells there may stem from the process that started this one.
    """
    if sys.platform == "linux":
        for line in _STATUS.read_text().splitlines():
            if line.startswith(_PEAK):
                return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
