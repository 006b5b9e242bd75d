"""What can be done with queues."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Unpack

from google.protobuf.empty_pb2 import Empty

from gotask import v1
from gotask.jobs.request import QueueFields, QueueRequest
from gotask.sdk.client import transport as verbs
from gotask.sdk.client.options import QueueOptions, checked
from gotask.sdk.client.queue import Queue, QueuePurged, QueueStats
from gotask.sdk.client.transport import Transport

_RENAMED = {
    "timeout": "timeout_us",
    "lease": "lease_us",
    "retention_success": "retention_success_us",
    "retention_other": "retention_other_us",
}


class Queues:
    """``client.queues``. Every call but ``create`` and ``list`` raises NotFound for a queue that does not exist."""

    def __init__(self, transport: Callable[[], Transport]) -> None:
        self._transport = transport

    async def create(self, name: str, **settings: Unpack[QueueOptions]) -> Queue:
        """What is not given takes its default; AlreadyExists when the name is taken."""
        transport = self._transport()
        wanted = checked(QueueRequest, {"name": name, **settings}).to_queue(name, transport.now_us())
        return Queue.of(await transport.call(verbs.CREATE_QUEUE, _settings(wanted)))

    async def update(self, name: str, **settings: Unpack[QueueOptions]) -> Queue:
        """Changes what is given, and leaves the rest. Of two updates at once the later may undo the earlier."""
        transport = self._transport()
        given = checked(QueueFields, settings)
        queue = await transport.call(verbs.GET_QUEUE, v1.QueueName(name=name))
        changed = given.to_queue(name, transport.now_us())
        for field in given.model_fields_set - {"retry"}:
            attribute = _RENAMED.get(field, field)
            if attribute in v1.QueueSettings.DESCRIPTOR.fields_by_name:
                setattr(queue, attribute, getattr(changed, attribute))
        if retry := given.retry_policy():
            queue.retry.MergeFrom(retry)
        return Queue.of(await transport.call(verbs.UPDATE_QUEUE, _settings(queue)))

    async def get(self, name: str) -> Queue:
        return Queue.of(await self._transport().call(verbs.GET_QUEUE, v1.QueueName(name=name)))

    async def delete(self, name: str) -> None:
        """With its finished jobs; Refused while jobs wait or run in it."""
        await self._transport().call(verbs.DELETE_QUEUE, v1.QueueName(name=name))

    async def pause(self, name: str) -> Queue:
        """No job of it is started from now on; running ones go on."""
        return Queue.of(await self._transport().call(verbs.PAUSE_QUEUE, v1.QueueName(name=name)))

    async def resume(self, name: str) -> Queue:
        return Queue.of(await self._transport().call(verbs.RESUME_QUEUE, v1.QueueName(name=name)))

    async def purge(self, name: str) -> QueuePurged:
        """Cancels the jobs that wait in it, whether pending, scheduled or retrying; running ones go on."""
        done = await self._transport().call(verbs.PURGE_QUEUE, v1.QueueName(name=name))
        return QueuePurged(done.cancelled, done.complete)

    async def stats(self, name: str) -> QueueStats:
        return QueueStats.of(await self._transport().call(verbs.GET_QUEUE_STATS, v1.QueueName(name=name)))

    async def all_stats(self) -> Sequence[QueueStats]:
        """Of all queues, by name."""
        queues = await self.list()
        return await asyncio.gather(*(self.stats(queue.name) for queue in queues))

    async def list(self) -> Sequence[Queue]:
        """All of them, by name."""
        found = await self._transport().call(verbs.LIST_QUEUES, Empty())
        return [Queue.of(queue) for queue in found.queues]


def queue_of(settings: v1.QueueSettings, now_us: int) -> v1.Queue:
    """The queue to store, from settings of which none is missing."""
    given: dict[str, Any] = {field.name: value for field, value in settings.ListFields()}
    return v1.Queue(**given, created_at_us=now_us, updated_at_us=now_us)


def _settings(queue: v1.Queue) -> v1.QueueSettings:
    names = [field.name for field in v1.QueueSettings.DESCRIPTOR.fields]
    return v1.QueueSettings(**{name: getattr(queue, name) for name in names})
