"""The verbs, said to an engine in this process."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any, cast

from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message

from gotask import v1
from gotask.jobs.refusals import why_not_cancelled, why_not_deleted, why_not_retried
from gotask.jobs.states import TERMINAL, name_of
from gotask.sdk.client.queues import queue_of
from gotask.sdk.client.transport import RUN_SCHEDULE, Reply, Request, Verb
from gotask.sdk.errors import AlreadyExists, InvalidArgument, NotFound, Refused, WaitTimeout
from gotask.sdk.testing.engine import Engine
from gotask.sdk.testing.schedules import Schedules
from gotask.storage.contract import Change, DeleteQueueStatus
from gotask.storage.dead_letters import find_dead
from gotask.storage.filtering import criteria_of

_PAGE = 1_000


class SandboxTransport:
    """One way to a sandbox; *eager* runs what is pending after each submission."""

    def __init__(self, engine: Engine, schedules: Schedules, *, eager: bool) -> None:
        self._engine = engine
        self._storage = engine.storage
        self._eager = eager
        self._handlers: dict[str, Callable[[Any], Awaitable[Message]]] = {
            "GetJob": lambda request: self._get(request.id),
            "ListJobs": self._list_jobs,
            "CancelJob": self._cancel,
            "RetryJob": self._retry,
            "DeleteJob": self._delete,
            "CreateQueue": self._create_queue,
            "ListQueues": self._list_queues,
            "GetQueue": lambda request: self._get_queue(request.name),
            "UpdateQueue": self._update_queue,
            "DeleteQueue": self._delete_queue,
            "PauseQueue": lambda request: self._set_paused(request.name, paused=True),
            "ResumeQueue": lambda request: self._set_paused(request.name, paused=False),
            "PurgeQueue": self._purge_queue,
            "GetQueueStats": self._get_queue_stats,
            "ListDeadJobs": self._list_dead,
            "RetryDeadJobs": self._retry_dead,
            "PurgeDeadJobs": self._purge_dead,
            "ListWorkers": self._list_workers,
            "DrainWorker": self._order_worker,
            "ResumeWorker": self._order_worker,
            **schedules.handlers,
        }

    def now_us(self) -> int:
        return self._engine.now_us

    def new_id(self) -> str:
        return self._engine.ids.make(self._engine.now_us)

    async def connect(self) -> None:
        return

    async def close(self) -> None:
        return

    async def submit(self, specs: Sequence[v1.JobSpec]) -> list[v1.SubmitOutcome]:
        outcomes = await self._engine.submit(specs)
        if self._eager:
            await self._engine.run()
        return outcomes

    async def call(self, verb: Verb[Request, Reply], request: Request) -> Reply:
        await self._engine.keep_up()
        reply = await self._handlers[verb.name](request)
        if self._eager and verb is RUN_SCHEDULE:
            await self._engine.run()
        return cast("Reply", reply)

    async def wait(self, job_id: str, timeout_s: float) -> v1.Job:
        """A handler that waits for another job lets it run; nobody else would."""
        job = await self._get(job_id)
        if job.state not in TERMINAL and self._engine.running:
            await self._engine.run()
            job = await self._get(job_id)
        if job.state not in TERMINAL and timeout_s:
            raise WaitTimeout(
                f"job {job_id} is {name_of(job.state)}: in a sandbox nothing runs but by run(), and time passes by "
                "advance() only"
            )
        return job

    async def watch_job(self, job_id: str) -> AsyncGenerator[v1.JobUpdate, None]:
        """The job, and what has happened to it so far."""
        job = await self._get(job_id)
        for event in list(self._engine.events):
            if event.job_id == job_id:
                yield v1.JobUpdate(event=event)
        yield v1.JobUpdate(job=job)

    async def watch_events(self, request: v1.WatchEventsRequest) -> AsyncGenerator[v1.WatchedEvents, None]:
        """What has happened so far."""
        if request.cursor and not request.cursor.isdecimal():
            raise InvalidArgument("is not a cursor of this stream", "cursor")
        for number, event in enumerate(list(self._engine.events), 1):
            wanted = (not request.queues or event.queue in request.queues) and (
                not request.kinds or event.kind in request.kinds
            )
            if wanted and number > int(request.cursor or 0):
                yield v1.WatchedEvents(cursor=str(number), events=[event])

    async def _get(self, job_id: str) -> v1.Job:
        (job,) = await self._storage.get_jobs([job_id])
        if job is None:
            raise _no_job(job_id)
        return job

    async def _list_jobs(self, request: v1.ListJobsRequest) -> v1.ListJobsResponse:
        try:
            page = await self._storage.list_jobs(criteria_of(request), request.cursor, request.limit)
        except ValueError as error:
            raise InvalidArgument(str(error), "cursor") from None
        return v1.ListJobsResponse(jobs=page.jobs, next_cursor=page.next_cursor)

    async def _cancel(self, request: v1.JobId) -> v1.Job:
        changes = await self._storage.cancel([request.id], self._engine.now_us)
        self._engine.interrupt(changes, [request.id])
        _check(request.id, changes[0], why_not_cancelled)
        return await self._get(request.id)

    async def _retry(self, request: v1.JobId) -> v1.Job:
        (change,) = await self._storage.retry([request.id], self._engine.now_us)
        _check(request.id, change, why_not_retried)
        return await self._get(request.id)

    async def _delete(self, request: v1.JobId) -> Empty:
        (change,) = await self._storage.delete([request.id])
        _check(request.id, change, why_not_deleted)
        return Empty()

    async def _list_dead(self, request: v1.ListDeadJobsRequest) -> v1.ListJobsResponse:
        await self._get_queue(request.queue)
        wanted = v1.DeadLetters(queue=request.queue, type=request.type, error_type=request.error_type)
        try:
            page = await find_dead(self._storage, wanted, request.cursor, request.limit)
        except ValueError as error:
            raise InvalidArgument(str(error), "cursor") from None
        return v1.ListJobsResponse(jobs=page.jobs, next_cursor=page.next_cursor)

    async def _retry_dead(self, request: v1.DeadLetters) -> v1.DeadJobsChanged:
        changes = await self._storage.retry(await self._dead(request), self._engine.now_us)
        return v1.DeadJobsChanged(count=sum(change.changed for change in changes), complete=True)

    async def _purge_dead(self, request: v1.DeadLetters) -> v1.DeadJobsChanged:
        changes = await self._storage.delete(await self._dead(request))
        return v1.DeadJobsChanged(count=sum(change.changed for change in changes), complete=True)

    async def _dead(self, wanted: v1.DeadLetters) -> list[str]:
        """Ids of those that match, oldest first."""
        await self._get_queue(wanted.queue)
        found: list[str] = []
        cursor = ""
        while True:
            page = await find_dead(self._storage, wanted, cursor, _PAGE)
            found += [job.spec.id for job in page.jobs if not wanted.ids or job.spec.id in wanted.ids]
            cursor = page.next_cursor
            if not cursor:
                return found[::-1]

    async def _create_queue(self, request: v1.QueueSettings) -> v1.Queue:
        if not await self._storage.create_queue(queue_of(request, self._engine.now_us)):
            raise AlreadyExists(f"queue {request.name!r} exists", "name")
        return await self._get_queue(request.name)

    async def _update_queue(self, request: v1.QueueSettings) -> v1.Queue:
        await self._storage.update_queue(queue_of(request, self._engine.now_us))
        return await self._get_queue(request.name)

    async def _list_queues(self, _: Empty) -> v1.QueueList:
        return v1.QueueList(queues=await self._storage.get_queues())

    async def _get_queue(self, name: str) -> v1.Queue:
        for queue in await self._storage.get_queues([name]):
            return queue
        raise _no_queue(name)

    async def _delete_queue(self, request: v1.QueueName) -> Empty:
        status = await self._storage.delete_queue(request.name)
        if status is DeleteQueueStatus.UNKNOWN:
            raise _no_queue(request.name)
        if status is DeleteQueueStatus.NOT_EMPTY:
            raise Refused(f"jobs wait or run in queue {request.name!r}; finish or cancel them first")
        return Empty()

    async def _set_paused(self, name: str, *, paused: bool) -> v1.Queue:
        await self._storage.set_paused(name, paused, self._engine.now_us)
        return await self._get_queue(name)

    async def _purge_queue(self, request: v1.QueueName) -> v1.QueuePurged:
        await self._get_queue(request.name)
        cancelled = await self._engine.purge(request.name)
        return v1.QueuePurged(cancelled=cancelled, complete=True)

    async def _get_queue_stats(self, request: v1.QueueName) -> v1.QueueStats:
        await self._get_queue(request.name)
        (stats,) = await self._storage.queue_stats([request.name], self._engine.now_us)
        return stats

    async def _list_workers(self, _: Empty) -> v1.WorkerList:
        return v1.WorkerList()

    async def _order_worker(self, request: v1.WorkerName) -> v1.WorkerInfo:
        raise NotFound(f"no worker {request.id!r} was heard of lately", "id")


def _check(job_id: str, change: Change, why_not: Callable[[v1.JobState.ValueType], str]) -> None:
    if not change.state:
        raise _no_job(job_id)
    if not change.changed:
        raise Refused(f"job {job_id} {why_not(change.state)}", "id")


def _no_job(job_id: str) -> NotFound:
    return NotFound(f"there is no job {job_id}", "id")


def _no_queue(name: str) -> NotFound:
    return NotFound(f"there is no queue {name!r}", "name")
