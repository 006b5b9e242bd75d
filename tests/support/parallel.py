"""Several processes of pytest, as ``make test`` starts them: each has servers and ports of its own."""

import os
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

_PORTS = range(10_000, 32_000)
_TOGETHER = ("cli", "cluster", "dashboard", "deploy", "docs", "e2e", "observability")


def keep_to_own_ports() -> None:
    """Before the first port is asked for; without effect where there is one process."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is not None:
        count = int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
        share = len(_PORTS) // count
        # One that takes the place of one that crashed has a higher number.
        first = _PORTS.start + share * (int(worker.removeprefix("gw")) % count)
        os.environ["GOTASK_FREE_PORTS"] = f"{first}-{first + share - 1}"


def scheduling(config: pytest.Config, log: Any) -> Any:
    """Gives each process files, or folders whose files share a stack, as it gets done with those before."""
    made = LoadScopeScheduling(config, log)
    made._split_scope = _together
    return made


def _together(nodeid: str) -> str:
    path, _, _ = nodeid.partition("::")
    _, folder, *_ = path.split("/")
    return folder if folder in _TOGETHER else path
