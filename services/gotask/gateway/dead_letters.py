"""What can be asked of dead letters, whatever the protocol. Refusals are CommandErrors."""

from gotask import v1
from gotask.bus.bus import Bus
from gotask.bus.dead_letters import change_dead
from gotask.bus.errors import Code, CommandError
from gotask.gateway.access.audit import Audit
from gotask.gateway.access.caller import Caller
from gotask.gateway.queues import Queues
from gotask.storage.contract import Page, Storage
from gotask.storage.dead_letters import find_dead


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
        try:
            return await find_dead(self._storage, wanted, cursor, limit)
        except ValueError as error:
            raise CommandError(Code.INVALID_ARGUMENT, str(error), "cursor") from None

    async def retry(self, caller: Caller, wanted: v1.DeadLetters) -> v1.DeadJobsChanged:
        """They become pending again, with all attempts before them."""
        return await self._command(caller, "retry_dead", wanted)

    async def purge(self, caller: Caller, wanted: v1.DeadLetters) -> v1.DeadJobsChanged:
        """They are forgotten."""
        return await self._command(caller, "purge_dead", wanted)

    async def _command(self, caller: Caller, verb: str, wanted: v1.DeadLetters) -> v1.DeadJobsChanged:
        async def give(piece: v1.DeadLetters) -> v1.DeadLettersChanged:
            return await self._bus.command(verb, piece, v1.DeadLettersChanged, self._command_timeout_s)

        with self._audit.record(caller, verb, wanted.queue):
            caller.check_queue(wanted.queue, "name")
            return await change_dead(give, wanted)
