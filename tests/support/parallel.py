"""Several processes of pytest, as ``make test`` starts them: each has servers and ports of its own."""

import os

import pytest

_PORTS = range(10_000, 32_000)
_TOGETHER = ("cli", "cluster", "dashboard", "deploy", "docs", "e2e", "observability")


def keep_to_own_ports() -> None:
    """Before the first port is asked for; without effect where there is one process."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is not None:
        share = len(_PORTS) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
        first = _PORTS.start + share * int(worker.removeprefix("gw"))
        os.environ["GOTASK_FREE_PORTS"] = f"{first}-{first + share - 1}"


def group(item: pytest.Item) -> pytest.MarkDecorator:
    """What stays in one process, one after the other: a file, or a folder whose files share a stack."""
    _, folder, *rest = item.path.relative_to(item.config.rootpath).parts
    name = folder if folder in _TOGETHER else "-".join((folder, *rest))
    return pytest.mark.xdist_group(name)
