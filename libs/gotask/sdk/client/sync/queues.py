"""What can be done with queues, for code without an event loop."""

from collections.abc import Sequence
from typing import Unpack

from gotask.sdk.client.options import QueueOptions
from gotask.sdk.client.queue import Queue, QueuePurged, QueueStats
from gotask.sdk.client.sync.run import Run


class SyncQueues:
    """As :class:`~gotask.sdk.client.queues.Queues`."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def create(self, name: str, **settings: Unpack[QueueOptions]) -> Queue:
        return self._run(lambda client: client.queues.create(name, **settings))

    def update(self, name: str, **settings: Unpack[QueueOptions]) -> Queue:
        return self._run(lambda client: client.queues.update(name, **settings))

    def get(self, name: str) -> Queue:
        return self._run(lambda client: client.queues.get(name))

    def delete(self, name: str) -> None:
        self._run(lambda client: client.queues.delete(name))

    def pause(self, name: str) -> Queue:
        return self._run(lambda client: client.queues.pause(name))

    def resume(self, name: str) -> Queue:
        return self._run(lambda client: client.queues.resume(name))

    def purge(self, name: str) -> QueuePurged:
        return self._run(lambda client: client.queues.purge(name))

    def stats(self, name: str) -> QueueStats:
        return self._run(lambda client: client.queues.stats(name))

    def all_stats(self) -> Sequence[QueueStats]:
        return self._run(lambda client: client.queues.all_stats())

    def list(self) -> Sequence[Queue]:
        return self._run(lambda client: client.queues.list())
