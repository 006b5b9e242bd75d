"""How many processors this process may use."""

import os
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def processors() -> int:
    """At least one. Heeds the processors the process is bound to, and the quota of its container (Linux, cgroup v2)."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        return max(1, min(count, _rounded_up(_QUOTA.read_text())))
    except (OSError, ValueError):
        return count


def _rounded_up(quota: str) -> int:
    """ "150000 100000", microseconds per period, are two; ValueError for "max"."""
    allowed, period = quota.split()
    return -(-int(allowed) // int(period))
