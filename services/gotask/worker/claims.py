"""Claims: free slots ask for work."""

import asyncio
import random
from collections.abc import Callable, Sequence

import structlog

from gotask import v1
from gotask.bus.bus import Bus
from gotask.bus.errors import BusUnavailable
from gotask.bus.replies import ReplyInbox
from gotask.service.tasks import stop_task

_log = structlog.get_logger("gotask.worker")

_IN_FLIGHT = 2
_PATIENCE_S = 5.0
_WITHDRAWAL_S = 2.0
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0


class Claims:
    """Keeps up to two claims open, each for the slots that were free when it was made.

    While a claim is under way the slots that become free gather for the next, so that claims are few under load and
    immediate without it. *start_jobs* takes each part of an answer.
    """

    def __init__(
        self,
        bus: Bus,
        worker_id: str,
        queues: Sequence[str],
        slots: int,
        wait_s: float,
        start_jobs: Callable[[v1.ClaimReply], int],
    ) -> None:
        self._bus = bus
        self._worker_id = worker_id
        self._queues = queues
        self._free = slots
        self._wait_s = wait_s
        self._start_jobs = start_jobs
        self._inbox = ReplyInbox(bus)
        self._changed = asyncio.Event()
        self._open: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Also withdraws what a process of the same id, which was killed, may have asked for."""
        await self._inbox.start()
        await self._withdraw()
        self.resume()

    def resume(self) -> None:
        """Begins to claim, also after a :meth:`pause`."""
        self._loop = asyncio.create_task(self._run())

    async def pause(self) -> None:
        """Claims nothing more, and withdraws the open claims: they are answered at once, with jobs or without."""
        await stop_task(self._loop)
        await self._withdraw()
        if self._open:
            await asyncio.wait(self._open, timeout=_WITHDRAWAL_S)
        for task in list(self._open):
            await stop_task(task)

    async def _withdraw(self) -> None:
        withdrawal = v1.ClaimRequest(worker=self._worker_id)
        await self._bus.publish(self._bus.subjects.withdraw, withdrawal.SerializeToString())

    def free(self) -> None:
        """A slot is free again."""
        self._free += 1
        self._changed.set()

    async def _run(self) -> None:
        while True:
            while self._free > 0 and len(self._open) < _IN_FLIGHT:
                capacity, self._free = self._free, 0
                task = asyncio.create_task(self._claim(capacity))
                self._open.add(task)
                task.add_done_callback(self._closed)
            self._changed.clear()
            await self._changed.wait()

    def _closed(self, task: asyncio.Task[None]) -> None:
        self._open.discard(task)
        self._changed.set()

    async def _claim(self, capacity: int) -> None:
        request = v1.ClaimRequest(
            worker=self._worker_id, queues=self._queues, capacity=capacity, wait_us=round(self._wait_s * 1e6)
        )
        data = request.SerializeToString()
        pause = _FIRST_PAUSE_S
        started = 0
        try:
            while True:
                try:
                    async for answer in self._inbox.request(self._bus.subjects.claim, data, self._wait_s + _PATIENCE_S):
                        reply = v1.ClaimReply.FromString(answer)
                        started += self._start_jobs(reply)
                        if reply.last:
                            return
                except BusUnavailable as error:
                    if started:
                        return
                    _log.warning("no answer to a claim", error=str(error))
                    await asyncio.sleep(pause * random.uniform(0.5, 1.5))
                    pause = min(pause * 2, _LONGEST_PAUSE_S)
        finally:
            self._free += capacity - started
