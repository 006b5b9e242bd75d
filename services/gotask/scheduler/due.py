"""Due jobs: asks the storage what has come due, and says so on the bus."""

import asyncio
import uuid

import structlog

from gotask import v1
from gotask.bus.bus import Bus, Publication
from gotask.bus.errors import BusError
from gotask.service.clock import Clock
from gotask.service.tasks import stop_task
from gotask.storage.contract import DueJob, Storage, StorageError

_log = structlog.get_logger("gotask.scheduler")

_PAGE = 1_000
_SAY_AGAIN_US = 5_000_000
_BUSY_PAUSE_S = 0.02
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 2.0


class DueJobs:
    """Publishes JobsDue. A job that is still due five seconds after it was said to be is said again."""

    def __init__(self, bus: Bus, storage: Storage, clock: Clock, poll_s: float) -> None:
        self._bus = bus
        self._storage = storage
        self._clock = clock
        self._poll_s = poll_s
        self._said: dict[DueJob, int] = {}
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._loop = asyncio.create_task(self._run())

    async def stop(self) -> None:
        await stop_task(self._loop)

    async def _run(self) -> None:
        pause = _FIRST_PAUSE_S
        while True:
            try:
                wait_s = await self.say()
                pause = _FIRST_PAUSE_S
            except (StorageError, BusError) as error:
                _log.warning("due jobs wait", error=str(error))
                wait_s, pause = pause, min(pause * 2, _LONGEST_PAUSE_S)
            except Exception:
                _log.exception("due jobs not looked for")
                wait_s = _LONGEST_PAUSE_S
            await asyncio.sleep(wait_s)

    async def say(self) -> float:
        """One look: publishes what is due and was not said lately; returns how long to wait, in seconds."""
        now_us = self._clock.now_us()
        due = await self._storage.due_jobs(now_us, _PAGE)
        new = [job for job in due if self._said.get(job, 0) <= now_us - _SAY_AGAIN_US]
        if new:
            message = v1.JobsDue(job_ids=[job.job_id for job in new]).SerializeToString()
            await self._bus.publish_durable(Publication(self._bus.subjects.due, message, f"due:{uuid.uuid4().hex}"))
            self._said.update(dict.fromkeys(new, now_us))
        self._forget(now_us)
        if len(due) == _PAGE:
            return 0 if new else _BUSY_PAUSE_S
        next_due_us = await self._storage.next_due()
        if next_due_us is None or next_due_us <= now_us:
            return self._poll_s
        return min(max(next_due_us - self._clock.now_us(), 0) / 1e6, self._poll_s)

    def _forget(self, now_us: int) -> None:
        if len(self._said) > 10 * _PAGE:
            self._said = {job: at_us for job, at_us in self._said.items() if at_us > now_us - _SAY_AGAIN_US}
