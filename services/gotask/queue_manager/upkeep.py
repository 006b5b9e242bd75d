"""Upkeep: jobs expire, and finished ones are forgotten in time."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from gotask import v1
from gotask.queue_manager.publishing import EventPublisher
from gotask.queue_manager.settings import QueueManagerSettings
from gotask.service.clock import Clock
from gotask.service.tasks import stop_task
from gotask.storage.contract import Storage, StorageError

_log = structlog.get_logger("gotask.queue_manager")

_EXPIRE_EVERY_S = 1.0
_BATCH = 500


class Upkeep:
    """Works in small batches, so that claims never wait long for it."""

    def __init__(self, settings: QueueManagerSettings, storage: Storage, clock: Clock, events: EventPublisher) -> None:
        self._prune_every_s = settings.prune_every
        self._storage = storage
        self._clock = clock
        self._events = events
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self._tasks = [
            asyncio.create_task(_repeat(self._expire, _EXPIRE_EVERY_S)),
            asyncio.create_task(_repeat(self._prune, self._prune_every_s)),
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            await stop_task(task)

    async def _expire(self) -> bool:
        now_us = self._clock.now_us()
        expired = await self._storage.expire_jobs(now_us, _BATCH)
        if expired:
            log = self._events.new_log(now_us)
            for job in expired:
                log.batch(v1.EVENT_KIND_EXPIRED, job.queue).job_ids.append(job.job_id)
            self._events.publish(log)
        return len(expired) == _BATCH

    async def _prune(self) -> bool:
        return await self._storage.prune(self._clock.now_us(), _BATCH) == _BATCH


async def _repeat(step: Callable[[], Awaitable[bool]], every_s: float) -> None:
    """Runs *step* every *every_s* seconds; at once again while it says that there is more."""
    while True:
        try:
            while await step():
                pass
        except StorageError as error:
            _log.warning("upkeep waits for the storage", error=str(error))
        except Exception:
            _log.exception("upkeep failed")
        await asyncio.sleep(every_s)
