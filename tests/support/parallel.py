"""Several processes of pytest, as ``make test`` starts them: each has servers and ports of its own."""

import os
from typing import Any

from xdist.scheduler import LoadScopeScheduling

_PORTS = range(10_000, 32_000)
_TOGETHER = ("cli", "cluster", "dashboard", "deploy", "docs", "e2e", "observability")


def keep_to_own_ports() -> None:
    """Before the first port is asked for; without effect where there is one process."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is not None:
        # One that takes the place of one that crashed has a higher number, and ports of its own as well.
        shares = 2 * int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
        share = len(_PORTS) // shares
        first = _PORTS.start + share * (int(worker.removeprefix("gw")) % shares)
        os.environ["GOTASK_FREE_PORTS"] = f"{first}-{first + share - 1}"


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each process files, or folders whose files share a stack, as it gets done with those before.

    It outlives a process that crashes, or that pytest-timeout ends: xdist's own runs the crashed test again, and then
    waits for ever for tests of files that are done.
    """

    def remove_node(self, node: Any) -> str | None:
        """The test that crashed the process, if one did; what it left undone goes to others."""
        left = {scope: tests for scope, tests in self.assigned_work.pop(node).items() if not all(tests.values())}
        if not left:
            return None
        crashed_in = next(iter(left))
        crashed: str = next(test for test, done in left[crashed_in].items() if not done)
        left[crashed_in][crashed] = True
        self.workqueue.update(left)
        for other in self.nodes:
            self._reschedule(other)
        return crashed

    def _reschedule(self, node: Any) -> None:
        """Until the process has two tests, or knows that no more come: it begins none before."""
        super()._reschedule(node)
        while not node.shutting_down and self._pending_of(self.assigned_work[node]) < 2:
            super()._reschedule(node)

    def _split_scope(self, nodeid: str) -> str:
        path, _, _ = nodeid.partition("::")
        _, folder, *_ = path.split("/")
        return folder if folder in _TOGETHER else path
