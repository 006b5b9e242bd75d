"""Reading, for those who have no storage: clients on NATS."""

import asyncio
from collections.abc import Iterable
from typing import TypeVar

from google.protobuf.message import Message

from gotask import v1
from gotask.bus.bus import Bus
from gotask.bus.errors import Code, CommandError
from gotask.bus.group_commit import GroupCommit
from gotask.jobs.history import shorten_history
from gotask.queue_manager.dispatch import GROUP
from gotask.service.clock import Clock
from gotask.service.unavailable import answering_unavailable
from gotask.storage.contract import JobFilter, Storage

_MAX_IDS = 1_000
_BATCH = 500
_DEFAULT_PAGE = 50
_MAX_PAGE = 500
_ENVELOPE_BYTES = 512
_FIELD_BYTES = 8
_KEPT_ATTEMPTS = 20

Item = TypeVar("Item", bound=Message)


class Reading:
    """Answers the commands that change nothing. No answer is larger than a message may be."""

    def __init__(self, bus: Bus, storage: Storage, clock: Clock) -> None:
        self._bus = bus
        self._storage = storage
        self._clock = clock
        self._room = bus.max_payload - _ENVELOPE_BYTES
        self._jobs: GroupCommit[str, v1.Job | None] = GroupCommit(storage.get_jobs, max_items=_BATCH, concurrency=2)

    async def start(self) -> None:
        for verb, handle in {
            "get_jobs": self._get_jobs,
            "list_jobs": self._list_jobs,
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
        return v1.FoundJobs(jobs=self._that_fit(found))

    async def _list_jobs(self, data: bytes) -> v1.ListJobsResponse:
        request = v1.ListJobsRequest.FromString(data)
        limit = request.limit or _DEFAULT_PAGE
        if limit > _MAX_PAGE:
            raise CommandError(Code.INVALID_ARGUMENT, f"{limit} is above {_MAX_PAGE}", "limit")
        criteria = _criteria(request)
        while True:
            reply = await self._page(criteria, request.cursor, limit)
            if reply.ByteSize() <= self._room or limit == 1:
                return reply
            limit //= 2

    async def _page(self, criteria: JobFilter, cursor: str, limit: int) -> v1.ListJobsResponse:
        """With each job's newest attempt only: histories may be long, and are in get_jobs."""
        try:
            page = await self._storage.list_jobs(criteria, cursor, limit)
        except ValueError as error:
            raise CommandError(Code.INVALID_ARGUMENT, str(error), "cursor") from None
        for job in page.jobs:
            shorten_history(job, 1)
        return v1.ListJobsResponse(jobs=page.jobs, next_cursor=page.next_cursor)

    async def _list_queues(self, data: bytes) -> v1.FoundQueues:
        queues = await self._queues(v1.ListNames.FromString(data))
        fitting = self._that_fit(queues)
        return v1.FoundQueues(queues=fitting, more=len(fitting) < len(queues))

    async def _queue_stats(self, data: bytes) -> v1.FoundStats:
        names = [queue.name for queue in await self._queues(v1.ListNames.FromString(data))]
        now_us = self._clock.now_us()
        stats = await self._storage.queue_stats(names, now_us)
        workers = await self._storage.list_workers(now_us)
        for figures in stats:
            figures.workers = sum(figures.name in worker.queues for worker in workers)
        fitting = self._that_fit(stats)
        return v1.FoundStats(stats=fitting, more=len(fitting) < len(stats))

    async def _queues(self, wanted: v1.ListNames) -> list[v1.Queue]:
        queues = await self._storage.get_queues(wanted.names or None)
        return [queue for queue in queues if queue.name > wanted.after]

    async def _list_workers(self, data: bytes) -> v1.FoundWorkers:
        after = v1.ListNames.FromString(data).after
        workers = [each for each in await self._storage.list_workers(self._clock.now_us()) if each.id > after]
        fitting = self._that_fit(workers)
        return v1.FoundWorkers(workers=fitting, more=len(fitting) < len(workers))

    def _that_fit(self, items: Iterable[Item]) -> list[Item]:
        """The first of them, as many as a message holds."""
        fitting = []
        room = self._room
        for item in items:
            room -= item.ByteSize() + _FIELD_BYTES
            if room < 0:
                break
            fitting.append(item)
        return fitting


def _criteria(request: v1.ListJobsRequest) -> JobFilter:
    return JobFilter(
        states=frozenset(request.states),
        queue=request.queue,
        type=request.type,
        tag=request.tag,
        created_from_us=request.created_from_us,
        created_before_us=request.created_before_us,
    )
