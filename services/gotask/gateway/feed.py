"""The feed of all events, for those who watch everything."""

from collections.abc import AsyncGenerator, Collection

from gotask import v1
from gotask.bus.bus import Bus
from gotask.bus.errors import Code, CommandError
from gotask.bus.happened import Cursor, Happened, read_events
from gotask.bus.subjects import Stream
from gotask.bus.tail import Tail
from gotask.gateway.access.caller import Caller
from gotask.gateway.watchers import Watchers
from gotask.jobs.validation import check_queue

_MAX_LAG = 10_000
MAX_QUEUES = 64


class Feed:
    """Reads the event stream for each watcher on its own, at the watcher's pace."""

    def __init__(self, bus: Bus, watchers: Watchers) -> None:
        self._bus = bus
        self._watchers = watchers
        self._tails: set[Tail] = set()
        self._stopped = False

    def stop(self) -> None:
        """Ends all streams."""
        self._stopped = True
        for tail in self._tails:
            tail.stop()

    async def events(
        self, caller: Caller, queues: Collection[str], kinds: Collection[v1.EventKind.ValueType], cursor: str
    ) -> AsyncGenerator[Happened, None]:
        """What happens in *queues*, of *kinds* (none: all), after *cursor* (none: from now on), till the gateway stops.

        The first answer comes at once, and holds no events: it says from which cursor the others go on.
        RESOURCE_EXHAUSTED when the watcher falls too far behind, or there are too many; PERMISSION_DENIED for a queue
        that the caller may not use.
        """
        subjects = self._subjects(_queues_for(caller, queues), kinds)
        place = Cursor.parse(cursor) if cursor else None
        with self._watchers.one_more():
            async with Tail(
                self._bus, self._bus.subjects.stream(Stream.EVENTS), subjects, place.sequence if place else None
            ) as tail:
                self._tails.add(tail)
                try:
                    async for happened in self._read(tail, place or Cursor(tail.last)):
                        yield happened
                finally:
                    self._tails.discard(tail)

    async def _read(self, tail: Tail, place: Cursor) -> AsyncGenerator[Happened, None]:
        # Whoever comes late may be far behind at first, but not fall back further.
        most_behind: int | None = None
        missed = tail.missed()
        yield Happened((), Cursor(tail.last) if missed else place, gap=missed)
        while not self._stopped and (batch := await tail.next_batch()):
            behind = batch[-1].metadata.num_pending
            most_behind = max(behind, _MAX_LAG) if most_behind is None else most_behind
            if behind > most_behind + _MAX_LAG:
                raise CommandError(Code.RESOURCE_EXHAUSTED, "too slow: events come faster than they are taken")
            if tail.missed():
                yield Happened((), Cursor(batch[0].metadata.sequence.stream - 1), gap=True)
            for message in batch:
                if (happened := read_events(message, place)).events:
                    yield happened

    def _subjects(self, queues: Collection[str], kinds: Collection[v1.EventKind.ValueType]) -> list[str]:
        if not kinds:
            return [self._bus.subjects.any_event_of(queue) for queue in queues or ("*",)]
        return [self._bus.subjects.event(queue, kind) for queue in queues or ("*",) for kind in set(kinds)]


def _queues_for(caller: Caller, queues: Collection[str]) -> Collection[str]:
    if len(queues) > MAX_QUEUES:
        raise CommandError(Code.INVALID_ARGUMENT, f"{len(queues)} queues; name {MAX_QUEUES} at most", "queues")
    for queue in queues:
        check_queue(queue)
        caller.check_queue(queue, "queues")
    if not queues and caller.queues is not None:
        return sorted(caller.queues)
    return sorted(set(queues))
