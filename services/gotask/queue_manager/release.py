"""Release: jobs whose time has come become pending."""

from collections import Counter
from collections.abc import Sequence

from google.protobuf.message import DecodeError
from nats.aio.msg import Msg

from gotask import v1
from gotask.bus.bus import Bus, Publication
from gotask.bus.consumer import Received, Undecodable
from gotask.jobs.states import PENDING
from gotask.queue_manager.dispatch import Dispatcher
from gotask.queue_manager.events import EventLog, publications_of
from gotask.service.clock import Clock
from gotask.storage.contract import Storage


def decode_due(message: Msg) -> v1.JobsDue:
    """Reads a message of the DUE stream."""
    try:
        return v1.JobsDue.FromString(message.data)
    except DecodeError as error:
        raise Undecodable(f"not a JobsDue message: {error}") from None


class Release:
    """Applies batches of the DUE stream."""

    def __init__(self, bus: Bus, storage: Storage, clock: Clock, dispatcher: Dispatcher) -> None:
        self._bus = bus
        self._storage = storage
        self._clock = clock
        self._dispatcher = dispatcher

    async def apply(self, batch: list[Received[v1.JobsDue]]) -> Sequence[Publication]:
        """Releases the jobs of all messages in one call; returns the events."""
        now_us = self._clock.now_us()
        ids = [job_id for received in batch for job_id in received.item.job_ids]
        changes = iter(await self._storage.release(ids, now_us) if ids else ())
        ready: Counter[str] = Counter()
        logs = []
        for received in batch:
            log = EventLog(received.cause, now_us)
            for job_id in received.item.job_ids:
                change = next(changes)
                if change.changed:
                    ready[change.queue] += 1
                elif change.state != PENDING:
                    continue
                log.batch(v1.EVENT_KIND_RELEASED, change.queue).job_ids.append(job_id)
            logs.append(log)
        self._dispatcher.wake(ready)
        return publications_of(logs, self._bus.subjects)
