"""Claims of workers behind the gateway. Jobs that come for one who has gone are handed back."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncGenerator

import structlog

from gotask import v1
from gotask.bus.bus import Bus, Publication
from gotask.bus.errors import BusError
from gotask.bus.replies import ReplyInbox
from gotask.service.clock import Clock

_log = structlog.get_logger("gotask.gateway")

_PATIENCE_S = 5.0
_LAST_WORDS_S = 2.0

Parts = asyncio.Queue[v1.ClaimedJobs | Exception]


class Claims:
    """Asks a queue-manager for jobs."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._inbox = ReplyInbox(bus)
        self._collecting: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        await self._inbox.start()

    async def stop(self) -> None:
        """Waits a moment for the answers of withdrawn claims."""
        if self._collecting:
            await asyncio.wait(self._collecting, timeout=_LAST_WORDS_S)

    async def claim(self, request: v1.ClaimRequest) -> AsyncGenerator[v1.ClaimedJobs, None]:
        """The parts of the answer as they come. BusUnavailable when nobody answers."""
        parts: Parts = asyncio.Queue()
        collecting = asyncio.create_task(self._collect(request, parts))
        self._collecting.add(collecting)
        collecting.add_done_callback(self._collecting.discard)
        complete = False
        try:
            while not complete:
                part = await parts.get()
                if isinstance(part, Exception):
                    complete = True
                    raise part
                complete = part.last
                yield part
        finally:
            if not complete:
                await self._abandon(request.worker, collecting, parts)

    async def withdraw(self, worker: str) -> None:
        """Open claims of *worker* are answered at once."""
        withdrawal = v1.ClaimRequest(worker=worker)
        await self._bus.publish(self._bus.subjects.withdraw, withdrawal.SerializeToString())

    async def _collect(self, request: v1.ClaimRequest, parts: Parts) -> None:
        try:
            answers = self._inbox.request(
                self._bus.subjects.claim, request.SerializeToString(), request.wait_us / 1e6 + _PATIENCE_S
            )
            async with contextlib.aclosing(answers):
                async for answer in answers:
                    part = v1.ClaimedJobs.FromString(answer)
                    parts.put_nowait(part)
                    if part.last:
                        return
        except Exception as error:
            parts.put_nowait(error)

    async def _abandon(self, worker: str, collecting: "asyncio.Task[None]", parts: Parts) -> None:
        """In the background: whoever waited is gone, and may be cancelled at any moment."""

        async def hand_back() -> None:
            await self.withdraw(worker)
            await asyncio.wait((collecting,))
            while not parts.empty():
                part = parts.get_nowait()
                if not isinstance(part, Exception) and part.specs:
                    await self._return(worker, part)

        task = asyncio.create_task(hand_back())
        self._collecting.add(task)
        task.add_done_callback(self._collecting.discard)

    async def _return(self, worker: str, part: v1.ClaimedJobs) -> None:
        now_us = self._clock.now_us()
        results = v1.JobResults(worker=worker)
        for spec, attempt in zip(part.specs, part.attempts, strict=True):
            returned = v1.Attempt(
                attempt=attempt,
                worker=worker,
                started_at_us=now_us,
                finished_at_us=now_us,
                outcome=v1.OUTCOME_RETURNED,
            )
            results.results.add(job_id=spec.id, queue=spec.queue, type=spec.type, attempt=returned)
        publication = Publication(
            self._bus.subjects.result, results.SerializeToString(), f"returned:{uuid.uuid4().hex}"
        )
        try:
            await self._bus.publish_durable(publication)
        except BusError as error:
            # Their leases end, and then they go to others.
            _log.warning("jobs not handed back", jobs=len(part.specs), error=str(error))
