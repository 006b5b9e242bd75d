"""Reading, for those who have no storage: clients on NATS."""

import asyncio
from collections.abc import Awaitable, Callable

from gotask import v1
from gotask.bus.bus import Bus
from gotask.bus.errors import Code, CommandError
from gotask.bus.fitting import room_in, that_fit
from gotask.bus.group_commit import GroupCommit
from gotask.jobs.history import shorten_history
from gotask.queue_manager.dispatch import GROUP
from gotask.service.clock import Clock
from gotask.service.unavailable import answering_unavailable
from gotask.storage.contract import Page, Storage
from gotask.storage.dead_letters import find_dead
from gotask.storage.filtering import criteria_of

_MAX_IDS = 1_000
_BATCH = 500
_DEFAULT_PAGE = 50
_MAX_PAGE = 500
_KEPT_ATTEMPTS = 20

ReadPage = Callable[[str, int], Awaitable[Page]]
"""From a cursor on, as many jobs as that; ValueError for a cursor that is none."""


class Reading:
    """Answers the commands that change nothing. No answer is larger than a message may be."""

    def __init__(self, bus: Bus, storage: Storage, clock: Clock) -> None:
        self._bus = bus
        self._storage = storage
        self._clock = clock
        self._room = room_in(bus.max_payload)
        self._jobs: GroupCommit[str, v1.Job | None] = GroupCommit(storage.get_jobs, max_items=_BATCH, concurrency=2)

    async def start(self) -> None:
        for verb, handle in {
            "get_jobs": self._get_jobs,
            "list_jobs": self._list_jobs,
            "list_dead": self._list_dead,
            "list_queues": self._list_queues,
            "queue_stats": self._queue_stats,
            "list_workers": self._list_workers,
        }.items():
            await self._bus.serve(self._bus.subjects.command(verb), GROUP, answering_unavailable(handle))

    async def _get_jobs(self, data: bytes) -> v1.FoundJobs:
        ids = v1.JobIds.FromString(data).ids
        if not 1 <= len(ids) <= _MAX_IDS:
            raise CommandError(Code.INVALID_ARGUMENT, f"{len(ids)} ids; give 1 to {_MAX_IDS}", "ids")
        found = [job or v1.Job() for job in await asyncio.gather(*map(self._jobs.submit, ids))]
        for job in found:
            if job.ByteSize() > self._room:
                shorten_history(job, _KEPT_ATTEMPTS)
        return v1.FoundJobs(jobs=that_fit(found, self._room))

    async def _list_jobs(self, data: bytes) -> v1.ListJobsResponse:
        request = v1.ListJobsRequest.FromString(data)
        criteria = criteria_of(request)
        return await self._fitting_page(
            lambda cursor, limit: self._storage.list_jobs(criteria, cursor, limit), request.cursor, request.limit
        )

    async def _list_dead(self, data: bytes) -> v1.ListJobsResponse:
        request = v1.ListDeadJobsRequest.FromString(data)
        if not await self._storage.get_queues([request.queue]):
            raise CommandError(Code.NOT_FOUND, f"there is no queue {request.queue!r}", "name")
        wanted = v1.DeadLetters(queue=request.queue, type=request.type, error_type=request.error_type)
        return await self._fitting_page(
            lambda cursor, limit: find_dead(self._storage, wanted, cursor, limit), request.cursor, request.limit
        )

    async def _fitting_page(self, read: ReadPage, cursor: str, limit: int) -> v1.ListJobsResponse:
        limit = limit or _DEFAULT_PAGE
        if limit > _MAX_PAGE:
            raise CommandError(Code.INVALID_ARGUMENT, f"{limit} is above {_MAX_PAGE}", "limit")
        while True:
            reply = await _page(read, cursor, limit)
            if reply.ByteSize() <= self._room or limit == 1:
                return reply
            limit //= 2

    async def _list_queues(self, data: bytes) -> v1.FoundQueues:
        queues = await self._queues(v1.ListNames.FromString(data))
        fitting = that_fit(queues, self._room)
        return v1.FoundQueues(queues=fitting, more=len(fitting) < len(queues))

    async def _queue_stats(self, data: bytes) -> v1.FoundStats:
        names = [queue.name for queue in await self._queues(v1.ListNames.FromString(data))]
        now_us = self._clock.now_us()
        stats = await self._storage.queue_stats(names, now_us)
        workers = await self._storage.list_workers(now_us)
        for figures in stats:
            figures.workers = sum(figures.name in worker.queues for worker in workers)
        fitting = that_fit(stats, self._room)
        return v1.FoundStats(stats=fitting, more=len(fitting) < len(stats))

    async def _queues(self, wanted: v1.ListNames) -> list[v1.Queue]:
        queues = await self._storage.get_queues(wanted.names or None)
        return [queue for queue in queues if queue.name > wanted.after]

    async def _list_workers(self, data: bytes) -> v1.FoundWorkers:
        after = v1.ListNames.FromString(data).after
        workers = [each for each in await self._storage.list_workers(self._clock.now_us()) if each.id > after]
        fitting = that_fit(workers, self._room)
        return v1.FoundWorkers(workers=fitting, more=len(fitting) < len(workers))


async def _page(read: ReadPage, cursor: str, limit: int) -> v1.ListJobsResponse:
    """With each job's newest attempt only: histories may be long, and are in get_jobs."""
    try:
        page = await read(cursor, limit)
    except ValueError as error:
        raise CommandError(Code.INVALID_ARGUMENT, str(error), "cursor") from None
    for job in page.jobs:
        shorten_history(job, 1)
    return v1.ListJobsResponse(jobs=page.jobs, next_cursor=page.next_cursor)
