"""What can be asked of queues and workers, whatever the protocol. Refusals are CommandErrors."""

from typing import NamedTuple

from gotask import v1
from gotask.bus.bus import Bus
from gotask.bus.errors import Code, CommandError
from gotask.service.clock import Clock
from gotask.storage.contract import Storage


class Stats(NamedTuple):
    """A queue's figures, and when they were taken."""

    figures: v1.QueueStats
    at_us: int


class Queues:
    """Finds and commands queues; NOT_FOUND for those that do not exist. Reading may raise StorageUnavailable."""

    def __init__(self, bus: Bus, storage: Storage, clock: Clock, command_timeout_s: float) -> None:
        self._bus = bus
        self._storage = storage
        self._clock = clock
        self._command_timeout_s = command_timeout_s

    async def create(self, queue: v1.Queue) -> v1.Queue:
        """ALREADY_EXISTS when its name is taken."""
        return await self._bus.command("create_queue", queue, v1.Queue, self._command_timeout_s)

    async def replace(self, queue: v1.Queue) -> v1.Queue:
        """Every setting but ``paused``."""
        return await self._bus.command("update_queue", queue, v1.Queue, self._command_timeout_s)

    async def delete(self, name: str) -> None:
        """FAILED_PRECONDITION while jobs wait or run in it."""
        await self._bus.command("delete_queue", v1.QueueName(name=name), v1.QueueName, self._command_timeout_s)

    async def pause(self, name: str) -> v1.Queue:
        return await self._bus.command("pause_queue", v1.QueueName(name=name), v1.Queue, self._command_timeout_s)

    async def resume(self, name: str) -> v1.Queue:
        return await self._bus.command("resume_queue", v1.QueueName(name=name), v1.Queue, self._command_timeout_s)

    async def list_queues(self) -> list[v1.Queue]:
        """All of them, by name."""
        return await self._storage.get_queues()

    async def get(self, name: str) -> v1.Queue:
        for queue in await self._storage.get_queues([name]):
            return queue
        raise CommandError(Code.NOT_FOUND, f"there is no queue {name!r}", "name")

    async def stats(self, name: str) -> Stats:
        """With the number of live workers that serve it."""
        await self.get(name)
        now_us = self._clock.now_us()
        (figures,) = await self._storage.queue_stats([name], now_us)
        figures.workers = sum(name in worker.queues for worker in await self.list_workers())
        return Stats(figures, now_us)

    async def list_workers(self) -> list[v1.WorkerInfo]:
        """The live ones, by id."""
        return await self._storage.list_workers(self._clock.now_us())
