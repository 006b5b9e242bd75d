"""Events as they were recorded, from the event stream itself."""

from collections.abc import AsyncGenerator

from gotask import v1
from gotask.bus.happened import Cursor, read_events
from gotask.bus.subjects import KIND_TOKENS, Stream
from gotask.bus.tail import Tail
from gotask.sdk.client.nats.link import Link


async def recorded_events(link: Link, request: v1.WatchEventsRequest) -> AsyncGenerator[v1.WatchedEvents, None]:
    """As JobService.WatchEvents; the cursors are the same. Goes on whatever happens to the broker."""
    with link.told():
        subjects = link.bus.subjects
        place = Cursor.parse(request.cursor) if request.cursor else None
        wanted = [subjects.any_event]
        if request.queues or request.kinds:
            wanted = [
                subjects.event(queue, kind)
                for queue in request.queues or ("*",)
                for kind in request.kinds or tuple(KIND_TOKENS)
            ]
        stream = subjects.stream(Stream.EVENTS)
        async with Tail(link.bus, stream, wanted, place.sequence if place else None) as tail:
            missed = tail.missed()
            place = place if place and not missed else Cursor(tail.last)
            yield v1.WatchedEvents(cursor=str(place), gap=missed)
            while batch := await tail.next_batch():
                missed = tail.missed()
                for message in batch:
                    happened = read_events(message, place)
                    if happened.events or missed:
                        events = [event for _, event in happened.events]
                        yield v1.WatchedEvents(cursor=str(happened.after), events=events, gap=missed)
                        missed = False
