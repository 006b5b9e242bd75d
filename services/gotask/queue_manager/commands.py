"""Commands: what users tell jobs and queues to do."""

from collections.abc import Awaitable, Callable, Sequence

from google.protobuf.message import Message

from gotask import v1
from gotask.bus.bus import Bus
from gotask.bus.errors import Code, CommandError
from gotask.jobs.states import CANCELLED, RUNNING, TERMINAL, name_of
from gotask.jobs.validation import InvalidJob, check_queue, check_retry
from gotask.queue_manager.dispatch import GROUP, Dispatcher
from gotask.queue_manager.publishing import EventPublisher
from gotask.queue_manager.queues import Queues
from gotask.queue_manager.unavailable import unavailable_as_status
from gotask.service.clock import Clock
from gotask.storage.contract import Change, DeleteQueueStatus, Storage

_MAX_IDS = 1_000
_MANY = 1_000_000


class Commands:
    """Serves every command subject."""

    def __init__(
        self,
        bus: Bus,
        storage: Storage,
        clock: Clock,
        queues: Queues,
        dispatcher: Dispatcher,
        events: EventPublisher,
    ) -> None:
        self._bus = bus
        self._storage = storage
        self._clock = clock
        self._queues = queues
        self._dispatcher = dispatcher
        self._events = events

    async def start(self) -> None:
        for verb, handle in {
            "cancel_jobs": self._cancel,
            "delete_jobs": self._delete,
            "retry_jobs": self._retry,
            "create_queue": self._create_queue,
            "update_queue": self._update_queue,
            "delete_queue": self._delete_queue,
            "pause_queue": self._pause,
            "resume_queue": self._resume,
        }.items():
            await self._bus.serve(self._bus.subjects.command(verb), GROUP, _guarded(handle))

    async def _cancel(self, data: bytes) -> v1.JobStatuses:
        ids = _ids(data)
        changes = await self._storage.cancel(ids, self._clock.now_us())
        for job_id, change in zip(ids, changes, strict=True):
            if change.changed and change.state == RUNNING:
                order = v1.CancelJobs(job_ids=[job_id])
                await self._bus.publish(self._bus.subjects.cancel(change.worker), order.SerializeToString())
        cancelled = [job_id for job_id, change in zip(ids, changes, strict=True) if _became(change, CANCELLED)]
        await self._tell(v1.EVENT_KIND_CANCELLED, cancelled)
        return _statuses(ids, changes, _why_not_cancelled)

    async def _delete(self, data: bytes) -> v1.JobStatuses:
        ids = _ids(data)
        changes = await self._storage.delete(ids)
        log = self._events.new_log(self._clock.now_us())
        for job_id, change in zip(ids, changes, strict=True):
            if change.changed:
                log.batch(v1.EVENT_KIND_DELETED, change.queue).job_ids.append(job_id)
        self._events.publish(log)
        return _statuses(ids, changes, lambda change: f"is {name_of(change.state)}; cancel it before you delete it")

    async def _retry(self, data: bytes) -> v1.JobStatuses:
        ids = _ids(data)
        changes = await self._storage.retry(ids, self._clock.now_us())
        log = self._events.new_log(self._clock.now_us())
        ready: dict[str, int] = {}
        for job_id, change in zip(ids, changes, strict=True):
            if change.changed:
                log.batch(v1.EVENT_KIND_RELEASED, change.queue).job_ids.append(job_id)
                ready[change.queue] = ready.get(change.queue, 0) + 1
        self._events.publish(log)
        self._dispatcher.wake(ready)
        return _statuses(
            ids,
            changes,
            lambda change: f"is {name_of(change.state)}; only failed, dead, cancelled and expired jobs can be retried",
        )

    async def _tell(self, kind: v1.EventKind.ValueType, job_ids: Sequence[str]) -> None:
        if not job_ids:
            return
        log = self._events.new_log(self._clock.now_us())
        for job in await self._storage.get_jobs(job_ids):
            if job is not None:
                log.batch(kind, job.spec.queue, job.spec.type).job_ids.append(job.spec.id)
        self._events.publish(log)

    async def _create_queue(self, data: bytes) -> v1.Queue:
        queue = _queue(data)
        if not await self._storage.create_queue(queue):
            raise CommandError(Code.ALREADY_EXISTS, f"queue {queue.name!r} exists", "name")
        return await self._stored(queue.name)

    async def _update_queue(self, data: bytes) -> v1.Queue:
        queue = _queue(data)
        if not await self._storage.update_queue(queue):
            raise _no_queue(queue.name)
        # Its limits may have been raised.
        self._dispatcher.wake({queue.name: _MANY})
        return await self._stored(queue.name)

    async def _delete_queue(self, data: bytes) -> v1.QueueName:
        request = v1.QueueName.FromString(data)
        status = await self._storage.delete_queue(request.name)
        if status is DeleteQueueStatus.UNKNOWN:
            raise _no_queue(request.name)
        if status is DeleteQueueStatus.NOT_EMPTY:
            raise CommandError(
                Code.FAILED_PRECONDITION, f"jobs wait or run in queue {request.name!r}; finish or cancel them first"
            )
        self._queues.forget(request.name)
        return request

    async def _pause(self, data: bytes) -> v1.Queue:
        return await self._set_paused(v1.QueueName.FromString(data).name, paused=True)

    async def _resume(self, data: bytes) -> v1.Queue:
        queue = await self._set_paused(v1.QueueName.FromString(data).name, paused=False)
        self._dispatcher.wake({queue.name: _MANY})
        return queue

    async def _set_paused(self, name: str, *, paused: bool) -> v1.Queue:
        if not await self._storage.set_paused(name, paused, self._clock.now_us()):
            raise _no_queue(name)
        return await self._stored(name)

    async def _stored(self, name: str) -> v1.Queue:
        for queue in await self._storage.get_queues([name]):
            self._queues.put(queue)
            return queue
        raise _no_queue(name)


def _guarded(handle: Callable[[bytes], Awaitable[Message]]) -> Callable[[bytes], Awaitable[Message]]:
    async def guarded(data: bytes) -> Message:
        with unavailable_as_status():
            return await handle(data)

    return guarded


def _ids(data: bytes) -> list[str]:
    ids = list(v1.JobIds.FromString(data).ids)
    if not 1 <= len(ids) <= _MAX_IDS:
        raise CommandError(Code.INVALID_ARGUMENT, f"{len(ids)} ids; give 1 to {_MAX_IDS}", "ids")
    return ids


def _queue(data: bytes) -> v1.Queue:
    queue = v1.Queue.FromString(data)
    try:
        check_queue(queue.name)
        check_retry(queue.retry)
    except InvalidJob as error:
        field = "name" if error.field == "queue" else error.field
        raise CommandError(Code.INVALID_ARGUMENT, error.reason, field) from None
    return queue


def _no_queue(name: str) -> CommandError:
    return CommandError(Code.NOT_FOUND, f"there is no queue {name!r}", "name")


def _became(change: Change, state: v1.JobState.ValueType) -> bool:
    return change.changed and change.state == state


def _why_not_cancelled(change: Change) -> str:
    if change.state in TERMINAL:
        return f"is {name_of(change.state)} already"
    return "is to be cancelled already; its worker has been told"


def _statuses(ids: Sequence[str], changes: Sequence[Change], why_not: Callable[[Change], str]) -> v1.JobStatuses:
    reply = v1.JobStatuses(states=[change.state for change in changes])
    for job_id, change in zip(ids, changes, strict=True):
        status = reply.statuses.add()
        if not change.state:
            status.MergeFrom(v1.Status(code=Code.NOT_FOUND, message=f"there is no job {job_id}", field="id"))
        elif not change.changed:
            message = f"job {job_id} {why_not(change)}"
            status.MergeFrom(v1.Status(code=Code.FAILED_PRECONDITION, message=message, field="id"))
    return reply
