"""What can be asked of dead letters, whatever the protocol. Refusals are CommandErrors."""

import asyncio
from typing import NamedTuple

from gotask import v1
from gotask.bus.bus import Bus
from gotask.bus.errors import Code, CommandError
from gotask.gateway.access.audit import Audit
from gotask.gateway.access.caller import Caller
from gotask.gateway.queues import Queues
from gotask.jobs.dead_letters import matches
from gotask.jobs.states import DEAD
from gotask.storage.contract import JobFilter, Page, Storage

_MAX_PAGES = 20
_PATIENCE_S = 20.0


class Changed(NamedTuple):
    """How many dead letters were changed; and whether those are all, or time was over."""

    jobs: int
    complete: bool


class DeadLetters:
    """Lists, retries and purges the dead letters of a queue; NOT_FOUND when it does not exist."""

    def __init__(self, bus: Bus, storage: Storage, queues: Queues, audit: Audit, command_timeout_s: float) -> None:
        self._bus = bus
        self._storage = storage
        self._queues = queues
        self._audit = audit
        self._command_timeout_s = command_timeout_s

    async def list_dead(self, caller: Caller, wanted: v1.DeadLetters, cursor: str, limit: int) -> Page:
        """Dead letters that match, newest job first. A page may hold fewer than *limit*, or none, and not be the last:
        it ends after a bounded search. INVALID_ARGUMENT for a cursor that is none."""
        await self._queues.get(caller, wanted.queue)
        criteria = JobFilter(states=frozenset({DEAD}), queue=wanted.queue, type=wanted.type)
        found: list[v1.Job] = []
        for _ in range(_MAX_PAGES):
            page = await self._page(criteria, cursor, limit)
            for job in page.jobs:
                if not matches(wanted, job):
                    continue
                if len(found) == limit:
                    return Page(found, found[-1].spec.id)
                found.append(job)
            cursor = page.next_cursor
            if not cursor or len(found) == limit:
                break
        return Page(found, cursor)

    async def _page(self, criteria: JobFilter, cursor: str, limit: int) -> Page:
        try:
            return await self._storage.list_jobs(criteria, cursor, limit)
        except ValueError as error:
            raise CommandError(Code.INVALID_ARGUMENT, str(error), "cursor") from None

    async def retry(self, caller: Caller, wanted: v1.DeadLetters) -> Changed:
        """They become pending again, with all attempts before them."""
        return await self._command(caller, "retry_dead", wanted)

    async def purge(self, caller: Caller, wanted: v1.DeadLetters) -> Changed:
        """They are forgotten."""
        return await self._command(caller, "purge_dead", wanted)

    async def _command(self, caller: Caller, verb: str, wanted: v1.DeadLetters) -> Changed:
        """Gives the command piece by piece until all is done, but begins no piece after 20 seconds."""
        with self._audit.record(caller, verb, wanted.queue):
            caller.check_queue(wanted.queue, "name")
            return await self._piece_by_piece(verb, wanted)

    async def _piece_by_piece(self, verb: str, wanted: v1.DeadLetters) -> Changed:
        loop = asyncio.get_running_loop()
        end = loop.time() + _PATIENCE_S
        asked = v1.DeadLetters()
        asked.CopyFrom(wanted)
        count = 0
        while True:
            done = await self._bus.command(verb, asked, v1.DeadLettersChanged, self._command_timeout_s)
            count += done.count
            if not done.next_cursor or loop.time() > end:
                return Changed(count, not done.next_cursor)
            asked.cursor = done.next_cursor
