"""What can be done with workers, for code without an event loop."""

from collections.abc import Sequence

from gotask.sdk.client.sync.run import Run
from gotask.sdk.client.worker import Worker


class SyncWorkers:
    """As :class:`~gotask.sdk.client.workers.Workers`."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def list(self) -> Sequence[Worker]:
        return self._run(lambda client: client.workers.list())

    def get(self, worker_id: str) -> Worker:
        return self._run(lambda client: client.workers.get(worker_id))

    def drain(self, worker_id: str) -> Worker:
        return self._run(lambda client: client.workers.drain(worker_id))

    def resume(self, worker_id: str) -> Worker:
        return self._run(lambda client: client.workers.resume(worker_id))
