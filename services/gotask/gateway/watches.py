"""Waiting for jobs to end: told by events, and looked up now and then, since a core message may be lost."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import nats.errors
import structlog
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg

from gotask import v1
from gotask.bus.bus import Bus

_log = structlog.get_logger("gotask.gateway")

_ENDINGS = (
    v1.EVENT_KIND_SUCCEEDED,
    v1.EVENT_KIND_FAILED,
    v1.EVENT_KIND_DEAD,
    v1.EVENT_KIND_CANCELLED,
    v1.EVENT_KIND_EXPIRED,
    v1.EVENT_KIND_DELETED,
)
_FLUSH_TIMEOUT_S = 2


class Watches:
    """Wakes those who wait for a job's end. Listens to nothing until somebody waits for the first time."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._listening: asyncio.Task[None] | None = None
        self.stopped = False

    @contextlib.asynccontextmanager
    async def watch(self, job_id: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set when the job has ended since, or when the gateway stops."""
        ended = asyncio.Event()
        if self.stopped:
            ended.set()
        self._waiting.setdefault(job_id, set()).add(ended)
        try:
            if self._listening is None:
                self._listening = asyncio.create_task(self._listen())
            await asyncio.shield(self._listening)
            yield ended
        finally:
            self._waiting[job_id].discard(ended)
            if not self._waiting[job_id]:
                del self._waiting[job_id]

    def stop(self) -> None:
        """Wakes everybody."""
        self.stopped = True
        for events in self._waiting.values():
            for event in events:
                event.set()

    async def _listen(self) -> None:
        try:
            for kind in _ENDINGS:
                await self._bus.client.subscribe(self._bus.subjects.event("*", kind), cb=self._on_events)
            await self._bus.client.flush(timeout=_FLUSH_TIMEOUT_S)
        except (nats.errors.Error, TimeoutError) as error:
            _log.warning("waits for jobs without events", error=str(error))

    async def _on_events(self, message: Msg) -> None:
        if not self._waiting:
            return
        try:
            events = v1.JobEvents.FromString(message.data)
        except DecodeError as error:
            _log.warning("events not understood", subject=message.subject, error=str(error))
            return
        for batch in events.batches:
            for job_id in batch.job_ids:
                for event in self._waiting.get(job_id, ()):
                    event.set()
