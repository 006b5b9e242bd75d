"""Draining on request: an operator takes a worker out of service, and back, while it runs."""

from collections.abc import Awaitable, Callable

import structlog

from gotask import v1
from gotask.bus.bus import Bus
from gotask.bus.errors import Code, CommandError

_log = structlog.get_logger("gotask.worker")


class DrainCommands:
    """Serves a worker's own drain and resume subjects. The answer to both is what the worker tells of itself then.

    It lasts until it is taken back, or the worker is started anew.
    """

    def __init__(
        self,
        bus: Bus,
        worker_id: str,
        drain: Callable[[], Awaitable[v1.WorkerInfo]],
        resume: Callable[[], Awaitable[v1.WorkerInfo]],
    ) -> None:
        self._bus = bus
        self._worker_id = worker_id
        self._drain = drain
        self._resume = resume

    async def start(self) -> None:
        subjects = self._bus.subjects
        await self._bus.serve(subjects.drain(self._worker_id), "", self._on_drain)
        await self._bus.serve(subjects.resume(self._worker_id), "", self._on_resume)

    async def _on_drain(self, data: bytes) -> v1.WorkerInfo:
        self._check(data)
        _log.info("draining on request")
        return await self._drain()

    async def _on_resume(self, data: bytes) -> v1.WorkerInfo:
        self._check(data)
        _log.info("claiming again on request")
        return await self._resume()

    def _check(self, data: bytes) -> None:
        """Ids that differ only in characters that a subject cannot hold share one."""
        wanted = v1.WorkerName.FromString(data).id
        if wanted != self._worker_id:
            raise CommandError(Code.NOT_FOUND, f"this is worker {self._worker_id!r}, not {wanted!r}", "id")
