"""What can be asked of queues, whatever the protocol. Refusals are CommandErrors.

A caller who is limited to some queues is refused for others, whether they exist or not.
"""

from typing import NamedTuple

from gotask import v1
from gotask.bus.bus import Bus
from gotask.bus.errors import Code, CommandError
from gotask.bus.purging import purge_queue
from gotask.gateway.access.audit import Audit
from gotask.gateway.access.caller import Caller
from gotask.jobs.limits import QUEUE
from gotask.service.clock import Clock
from gotask.storage.contract import Storage


class Stats(NamedTuple):
    """A queue's figures, and when they were taken."""

    figures: v1.QueueStats
    at_us: int


class Queues:
    """Finds and commands queues; NOT_FOUND for those that do not exist. Reading may raise StorageUnavailable."""

    def __init__(self, bus: Bus, storage: Storage, clock: Clock, audit: Audit, command_timeout_s: float) -> None:
        self._bus = bus
        self._storage = storage
        self._clock = clock
        self._audit = audit
        self._command_timeout_s = command_timeout_s

    async def create(self, caller: Caller, queue: v1.Queue) -> v1.Queue:
        """ALREADY_EXISTS when its name is taken."""
        return await self._command(caller, "create_queue", queue.name, queue)

    async def replace(self, caller: Caller, queue: v1.Queue) -> v1.Queue:
        """Every setting but ``paused``."""
        return await self._command(caller, "update_queue", queue.name, queue)

    async def delete(self, caller: Caller, name: str) -> None:
        """FAILED_PRECONDITION while jobs wait or run in it."""
        with self._audit.record(caller, "delete_queue", name):
            _check_name(caller, name)
            await self._bus.command("delete_queue", v1.QueueName(name=name), v1.QueueName, self._command_timeout_s)

    async def pause(self, caller: Caller, name: str) -> v1.Queue:
        return await self._command(caller, "pause_queue", name, v1.QueueName(name=name))

    async def resume(self, caller: Caller, name: str) -> v1.Queue:
        return await self._command(caller, "resume_queue", name, v1.QueueName(name=name))

    async def purge(self, caller: Caller, name: str) -> v1.QueuePurged:
        """What waits in it is cancelled; running jobs go on."""

        async def give() -> v1.QueuePurged:
            return await self._bus.command("purge_queue", wanted, v1.QueuePurged, self._command_timeout_s)

        wanted = v1.QueueName(name=name)
        with self._audit.record(caller, "purge_queue", name):
            _check_name(caller, name)
            return await purge_queue(give)

    async def _command(self, caller: Caller, verb: str, name: str, request: v1.Queue | v1.QueueName) -> v1.Queue:
        with self._audit.record(caller, verb, name):
            _check_name(caller, name)
            return await self._bus.command(verb, request, v1.Queue, self._command_timeout_s)

    async def list_queues(self, caller: Caller) -> list[v1.Queue]:
        """All of them, by name."""
        return await self._storage.get_queues(None if caller.queues is None else sorted(caller.queues))

    async def get(self, caller: Caller, name: str) -> v1.Queue:
        _check_name(caller, name)
        for queue in await self._storage.get_queues([name]):
            return queue
        raise _no_queue(name)

    async def stats(self, caller: Caller, name: str) -> Stats:
        """With the number of live workers that serve it."""
        await self.get(caller, name)
        now_us = self._clock.now_us()
        (figures,) = await self._storage.queue_stats([name], now_us)
        figures.workers = sum(name in worker.queues for worker in await self._storage.list_workers(now_us))
        return Stats(figures, now_us)


def _check_name(caller: Caller, name: str) -> None:
    """NOT_FOUND for a name that no queue can have; PERMISSION_DENIED for one that the caller may not use."""
    if not QUEUE.fullmatch(name):
        raise _no_queue(name)
    caller.check_queue(name, "name")


def _no_queue(name: str) -> CommandError:
    return CommandError(Code.NOT_FOUND, f"there is no queue {name!r}", "name")
