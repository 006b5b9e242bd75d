"""Commands about queues: create, update, delete, pause, resume."""

from gotask import v1
from gotask.bus.bus import Bus, Command
from gotask.bus.errors import Code, CommandError
from gotask.jobs.durations import format_us
from gotask.jobs.queue_validation import check_queue_settings
from gotask.jobs.validation import InvalidJob
from gotask.queue_manager.dispatch import GROUP
from gotask.queue_manager.queues import Queues
from gotask.queue_manager.settings import QueueManagerSettings
from gotask.service.clock import Clock
from gotask.service.unavailable import answering_unavailable
from gotask.storage.contract import DeleteQueueStatus, Storage


class QueueCommands:
    """Serves the commands about queues. A repeat that finds its work done is answered as the first try was."""

    def __init__(
        self, settings: QueueManagerSettings, bus: Bus, storage: Storage, clock: Clock, queues: Queues
    ) -> None:
        self._min_lease_us = round(settings.first_lease * 1e6)
        self._bus = bus
        self._storage = storage
        self._clock = clock
        self._queues = queues

    async def start(self) -> None:
        for verb, handle in {
            "create_queue": self._create,
            "update_queue": self._update,
            "delete_queue": self._delete,
            "pause_queue": self._pause,
            "resume_queue": self._resume,
        }.items():
            await self._bus.serve_command(verb, GROUP, answering_unavailable(handle))

    async def _create(self, command: Command) -> v1.Queue:
        queue = self._queue(command)
        if await self._storage.create_queue(queue):
            return await self._changed(queue.name)
        stored = await self._stored(queue.name)
        if command.repeated and stored.created_at_us == queue.created_at_us:
            return stored
        raise CommandError(Code.ALREADY_EXISTS, f"queue {queue.name!r} exists", "name")

    async def _update(self, command: Command) -> v1.Queue:
        queue = self._queue(command)
        if not await self._storage.update_queue(queue):
            raise _no_queue(queue.name)
        return await self._changed(queue.name)

    async def _delete(self, command: Command) -> v1.QueueName:
        request = v1.QueueName.FromString(command.data)
        status = await self._storage.delete_queue(request.name)
        if status is DeleteQueueStatus.UNKNOWN and not command.repeated:
            raise _no_queue(request.name)
        if status is DeleteQueueStatus.NOT_EMPTY:
            raise CommandError(
                Code.FAILED_PRECONDITION, f"jobs wait or run in queue {request.name!r}; finish or cancel them first"
            )
        self._queues.forget(request.name)
        await self._queues.tell(request.name)
        return request

    async def _pause(self, command: Command) -> v1.Queue:
        return await self._set_paused(v1.QueueName.FromString(command.data).name, paused=True)

    async def _resume(self, command: Command) -> v1.Queue:
        return await self._set_paused(v1.QueueName.FromString(command.data).name, paused=False)

    async def _set_paused(self, name: str, *, paused: bool) -> v1.Queue:
        if not await self._storage.set_paused(name, paused, self._clock.now_us()):
            raise _no_queue(name)
        return await self._changed(name)

    def _queue(self, command: Command) -> v1.Queue:
        queue = v1.Queue.FromString(command.data)
        try:
            check_queue_settings(queue)
        except InvalidJob as error:
            field = "name" if error.field == "queue" else error.field
            raise CommandError(Code.INVALID_ARGUMENT, error.reason, field) from None
        if queue.lease_us < self._min_lease_us:
            lease, first = format_us(queue.lease_us), format_us(self._min_lease_us)
            reason = f"{lease} is shorter than GOTASK_FIRST_LEASE, {first}: heartbeats might not keep up with it"
            raise CommandError(Code.INVALID_ARGUMENT, reason, "lease")
        return queue

    async def _changed(self, name: str) -> v1.Queue:
        """Tells all queue-managers; the queue as it is stored now."""
        stored = await self._stored(name)
        self._queues.put(stored)
        await self._queues.tell(name)
        return stored

    async def _stored(self, name: str) -> v1.Queue:
        for queue in await self._storage.get_queues([name]):
            return queue
        raise _no_queue(name)


def _no_queue(name: str) -> CommandError:
    return CommandError(Code.NOT_FOUND, f"there is no queue {name!r}", "name")
