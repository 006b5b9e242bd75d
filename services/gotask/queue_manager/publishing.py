"""Publishes events whose cause is a request, not a message that would be replayed."""

import asyncio
import uuid

import structlog

from gotask.bus.bus import Bus
from gotask.bus.errors import BusError
from gotask.queue_manager.events import EventLog

_log = structlog.get_logger("gotask.queue_manager")


class EventPublisher:
    """Publishes in the background, in order of time; what the broker does not take for 20 s is lost, with a warning."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._tasks: set[asyncio.Task[None]] = set()

    def new_log(self, at_us: int) -> EventLog:
        """A log with a cause of its own."""
        return EventLog(uuid.uuid4().hex, at_us)

    def publish(self, log: EventLog) -> None:
        task = asyncio.create_task(self._publish(log))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _publish(self, log: EventLog) -> None:
        for publication in log.publications(self._bus.subjects):
            try:
                await self._bus.publish_durable(publication, deadline_s=20)
            except BusError as error:
                _log.warning("events lost", subject=publication.subject, error=str(error))
