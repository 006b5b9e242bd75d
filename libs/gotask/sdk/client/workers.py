"""What can be done with workers."""

from collections.abc import Callable, Sequence

from google.protobuf.empty_pb2 import Empty

from gotask import v1
from gotask.sdk.client import transport as verbs
from gotask.sdk.client.transport import Transport
from gotask.sdk.client.worker import Worker
from gotask.sdk.errors import NotFound


class Workers:
    """``client.workers``. Every call but ``list`` raises NotFound for a worker that was not heard of lately."""

    def __init__(self, transport: Callable[[], Transport]) -> None:
        self._transport = transport

    async def list(self) -> Sequence[Worker]:
        """Those that were heard of lately, by id."""
        found = await self._transport().call(verbs.LIST_WORKERS, Empty())
        return [Worker.of(worker) for worker in found.workers]

    async def get(self, worker_id: str) -> Worker:
        for worker in await self.list():
            if worker.id == worker_id:
                return worker
        raise NotFound(f"no worker {worker_id!r} was heard of lately", "id")

    async def drain(self, worker_id: str) -> Worker:
        """It claims nothing more, and finishes what it has; it goes on living. Unavailable when it does not answer."""
        return Worker.of(await self._transport().call(verbs.DRAIN_WORKER, v1.WorkerName(id=worker_id)))

    async def resume(self, worker_id: str) -> Worker:
        """One that drains claims again; Refused when it is stopping."""
        return Worker.of(await self._transport().call(verbs.RESUME_WORKER, v1.WorkerName(id=worker_id)))
