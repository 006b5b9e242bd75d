"""Commands about the dead letters of a queue: retry, purge."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from gotask import v1
from gotask.bus.bus import Bus, Command
from gotask.bus.errors import Code, CommandError
from gotask.jobs.dead_letters import matches
from gotask.jobs.states import DEAD
from gotask.queue_manager.dispatch import GROUP, Dispatcher
from gotask.queue_manager.events import EventLog
from gotask.queue_manager.publishing import EventPublisher
from gotask.service.clock import Clock
from gotask.service.unavailable import answering_unavailable
from gotask.storage.contract import Change, JobFilter, Storage

_MAX_IDS = 1_000
_PIECE = 200
_WORK_S = 1.0

ChangeSome: TypeAlias = Callable[[list[str], EventLog], Awaitable[int]]
"""Changes the jobs with these ids that are dead letters still; how many it changed."""


class DeadLetterCommands:
    """Works in pieces, newest job first, so that a million dead letters hold up nothing else; after a second it answers
    how many it changed, and where to go on."""

    def __init__(
        self, bus: Bus, storage: Storage, clock: Clock, dispatcher: Dispatcher, events: EventPublisher
    ) -> None:
        self._bus = bus
        self._storage = storage
        self._clock = clock
        self._dispatcher = dispatcher
        self._events = events

    async def start(self) -> None:
        for verb, change in {"retry_dead": self._retry, "purge_dead": self._purge}.items():
            await self._bus.serve_command(verb, GROUP, answering_unavailable(self._serving(change)))

    def _serving(self, change: ChangeSome) -> Callable[[Command], Awaitable[v1.DeadLettersChanged]]:
        async def serve(command: Command) -> v1.DeadLettersChanged:
            wanted = v1.DeadLetters.FromString(command.data)
            await self._check(wanted)
            if wanted.ids:
                return await self._change_named(wanted, change)
            return await self._change_all(wanted, change)

        return serve

    async def _check(self, wanted: v1.DeadLetters) -> None:
        if len(wanted.ids) > _MAX_IDS:
            raise CommandError(Code.INVALID_ARGUMENT, f"{len(wanted.ids)} ids; give {_MAX_IDS} at most", "ids")
        if not await self._storage.get_queues([wanted.queue]):
            raise CommandError(Code.NOT_FOUND, f"there is no queue {wanted.queue!r}", "name")

    async def _change_named(self, wanted: v1.DeadLetters, change: ChangeSome) -> v1.DeadLettersChanged:
        jobs = await self._storage.get_jobs(list(dict.fromkeys(wanted.ids)))
        count = await self._change(wanted, [job for job in jobs if job is not None], change)
        return v1.DeadLettersChanged(count=count)

    async def _change_all(self, wanted: v1.DeadLetters, change: ChangeSome) -> v1.DeadLettersChanged:
        criteria = JobFilter(states=frozenset({DEAD}), queue=wanted.queue, type=wanted.type)
        cursor, count = wanted.cursor, 0
        loop = asyncio.get_running_loop()
        end = loop.time() + _WORK_S
        while True:
            try:
                page = await self._storage.list_jobs(criteria, cursor, _PIECE)
            except ValueError as error:
                raise CommandError(Code.INVALID_ARGUMENT, str(error), "cursor") from None
            # The oldest of them first: that is the order in which they will be claimed.
            count += await self._change(wanted, page.jobs[::-1], change)
            cursor = page.next_cursor
            if not cursor or loop.time() > end:
                return v1.DeadLettersChanged(count=count, next_cursor=cursor)

    async def _change(self, wanted: v1.DeadLetters, jobs: Sequence[v1.Job], change: ChangeSome) -> int:
        ids = [job.spec.id for job in jobs if matches(wanted, job)]
        if not ids:
            return 0
        # A repeat of the command finds other jobs, and tells of them: it must not do so under the first try's ids.
        log = self._events.new_log(self._clock.now_us())
        count = await change(ids, log)
        self._events.publish(log)
        return count

    async def _retry(self, ids: list[str], log: EventLog) -> int:
        changes = await self._storage.retry(ids, self._clock.now_us())
        ready = Counter(_tell(log, v1.EVENT_KIND_RELEASED, ids, changes))
        self._dispatcher.wake(ready)
        return ready.total()

    async def _purge(self, ids: list[str], log: EventLog) -> int:
        return len(_tell(log, v1.EVENT_KIND_DELETED, ids, await self._storage.delete(ids)))


def _tell(log: EventLog, kind: v1.EventKind.ValueType, ids: Sequence[str], changes: Sequence[Change]) -> list[str]:
    """The queues of the jobs that were changed."""
    queues = []
    for job_id, change in zip(ids, changes, strict=True):
        if change.changed:
            log.batch(kind, change.queue).job_ids.append(job_id)
            queues.append(change.queue)
    return queues
