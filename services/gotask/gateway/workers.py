"""What workers can ask, and what can be asked of them, whatever the protocol. Refusals are CommandErrors."""

from gotask import v1
from gotask.gateway.access.caller import Caller
from gotask.service.clock import Clock
from gotask.storage.contract import Storage


class Workers:
    """Reading may raise StorageUnavailable."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def list_workers(self, caller: Caller) -> list[v1.WorkerInfo]:
        """The live ones, by id; of them only those that serve a queue which the caller may use."""
        workers = await self._storage.list_workers(self._clock.now_us())
        return [worker for worker in workers if caller.queues is None or caller.queues.intersection(worker.queues)]
