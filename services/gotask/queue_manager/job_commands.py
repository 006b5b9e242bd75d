"""Commands about jobs: cancel, delete, retry."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence

from gotask import v1
from gotask.bus.bus import Bus, Command
from gotask.bus.errors import Code, CommandError
from gotask.jobs.refusals import why_not_cancelled, why_not_deleted, why_not_retried
from gotask.jobs.states import CANCELLED, RUNNING, SUCCESS, WAITING
from gotask.queue_manager.dispatch import GROUP, Dispatcher
from gotask.queue_manager.events import EventLog
from gotask.queue_manager.publishing import EventPublisher
from gotask.service.clock import Clock
from gotask.service.unavailable import answering_unavailable
from gotask.storage.contract import Change, Storage, StorageUnavailable

_MAX_IDS = 1_000
_RETRIED = WAITING | {RUNNING, SUCCESS}
"""Where a job may be that was retried and is not to be retried again."""


class JobCommands:
    """Serves the commands about jobs. A repeat that finds its work done is answered as the first try was, and tells of
    it under the same ids."""

    def __init__(
        self, bus: Bus, storage: Storage, clock: Clock, dispatcher: Dispatcher, events: EventPublisher
    ) -> None:
        self._bus = bus
        self._storage = storage
        self._clock = clock
        self._dispatcher = dispatcher
        self._events = events

    async def start(self) -> None:
        for verb, handle in {
            "cancel_jobs": self._cancel,
            "delete_jobs": self._delete,
            "retry_jobs": self._retry,
        }.items():
            await self._bus.serve_command(verb, GROUP, answering_unavailable(handle))

    async def _cancel(self, command: Command) -> v1.JobStatuses:
        ids = _ids(command)
        changes = await self._storage.cancel(ids, self._clock.now_us())
        done = [change.changed or (command.repeated and change.state in (CANCELLED, RUNNING)) for change in changes]
        await self._tell_workers(ids, changes, done)
        ended = {job_id: change.queue for job_id, change in _those(ids, changes, done) if change.state == CANCELLED}
        await self._tell_cancelled(command, ended)
        return _statuses(ids, changes, done, why_not_cancelled)

    async def _tell_workers(self, ids: Sequence[str], changes: Sequence[Change], done: Sequence[bool]) -> None:
        orders: dict[str, v1.CancelJobs] = {}
        for job_id, change in _those(ids, changes, done):
            if change.state == RUNNING:
                orders.setdefault(change.worker, v1.CancelJobs()).job_ids.append(job_id)
        for worker, order in orders.items():
            await self._bus.publish(self._bus.subjects.cancel(worker), order.SerializeToString())

    async def _tell_cancelled(self, command: Command, queues: Mapping[str, str]) -> None:
        """*queues* by the ids of jobs that are cancelled now."""
        if not queues:
            return
        types: dict[str, str] = {}
        with contextlib.suppress(StorageUnavailable):
            jobs = await self._storage.get_jobs(list(queues))
            types = {job.spec.id: job.spec.type for job in jobs if job is not None}
        log = self._new_log(command)
        for job_id, queue in queues.items():
            log.batch(v1.EVENT_KIND_CANCELLED, queue, types.get(job_id, "")).job_ids.append(job_id)
        self._events.publish(log)

    async def _delete(self, command: Command) -> v1.JobStatuses:
        ids = _ids(command)
        changes = await self._storage.delete(ids)
        log = self._new_log(command)
        for job_id, change in zip(ids, changes, strict=True):
            if change.changed:
                log.batch(v1.EVENT_KIND_DELETED, change.queue).job_ids.append(job_id)
        self._events.publish(log)
        done = [change.changed or (command.repeated and not change.state) for change in changes]
        return _statuses(ids, changes, done, why_not_deleted)

    async def _retry(self, command: Command) -> v1.JobStatuses:
        ids = _ids(command)
        changes = await self._storage.retry(ids, self._clock.now_us())
        done = [change.changed or (command.repeated and change.state in _RETRIED) for change in changes]
        log = self._new_log(command)
        ready: dict[str, int] = {}
        for job_id, change in _those(ids, changes, done):
            log.batch(v1.EVENT_KIND_RELEASED, change.queue).job_ids.append(job_id)
            ready[change.queue] = ready.get(change.queue, 0) + 1
        self._events.publish(log)
        self._dispatcher.wake(ready)
        return _statuses(ids, changes, done, why_not_retried)

    def _new_log(self, command: Command) -> EventLog:
        return EventLog(f"command:{command.id}", self._clock.now_us())


def _ids(command: Command) -> list[str]:
    ids = list(v1.JobIds.FromString(command.data).ids)
    if not 1 <= len(ids) <= _MAX_IDS:
        raise CommandError(Code.INVALID_ARGUMENT, f"{len(ids)} ids; give 1 to {_MAX_IDS}", "ids")
    return ids


def _those(ids: Sequence[str], changes: Sequence[Change], done: Sequence[bool]) -> Iterator[tuple[str, Change]]:
    for job_id, change, is_done in zip(ids, changes, done, strict=True):
        if is_done:
            yield job_id, change


def _statuses(
    ids: Sequence[str], changes: Sequence[Change], done: Sequence[bool], why_not: Callable[[v1.JobState.ValueType], str]
) -> v1.JobStatuses:
    reply = v1.JobStatuses(states=[change.state for change in changes])
    for job_id, change, is_done in zip(ids, changes, done, strict=True):
        status = reply.statuses.add()
        if is_done:
            continue
        if change.state:
            message = f"job {job_id} {why_not(change.state)}"
            status.MergeFrom(v1.Status(code=Code.FAILED_PRECONDITION, message=message, field="id"))
        else:
            status.MergeFrom(v1.Status(code=Code.NOT_FOUND, message=f"there is no job {job_id}", field="id"))
    return reply
