"""Due jobs: asks the storage what has come due, and says so on the bus."""

import uuid

import structlog
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg

from gotask import v1
from gotask.bus.bus import Bus, Publication
from gotask.scheduler.loop import Loop
from gotask.scheduler.peers import Peers
from gotask.service.clock import Clock
from gotask.storage.contract import DueJob, Storage

_log = structlog.get_logger("gotask.scheduler")

_PAGE = 1_000
_SAY_AGAIN_US = 5_000_000
_STEP_IN_US = 100_000
_BUSY_PAUSE_S = 0.02


class DueJobs:
    """Publishes JobsDue. A job that is still due five seconds after it was said to be is said again.

    Schedulers share the work: each says at once the jobs that are its own to say. They hear each other, and what nobody
    has said for a tenth of a second all of them say: its scheduler may be gone.
    """

    def __init__(self, bus: Bus, storage: Storage, clock: Clock, peers: Peers, poll_s: float) -> None:
        self._bus = bus
        self._storage = storage
        self._clock = clock
        self._peers = peers
        self._poll_s = poll_s
        self._said: dict[DueJob, int] = {}
        self._loop = Loop("due jobs", self.say)

    async def start(self) -> None:
        await self._bus.subscribe(self._bus.subjects.due, self._hear)
        self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()

    async def say(self) -> float:
        """One look: publishes what is due and was not said lately; returns how long to wait, in seconds."""
        next_us, now_us = await self._storage.next_due(), self._clock.now_us()
        if next_us is None:
            return self._poll_s
        if next_us > now_us:
            return min((next_us - now_us) / 1e6, self._poll_s)
        due = await self._storage.due_jobs(now_us, _PAGE)
        new = [job for job in due if self._to_say(job, now_us)]
        if new:
            await self._publish(new)
            self._said.update(dict.fromkeys(new, now_us))
        self._forget(now_us)
        return 0 if new and len(due) == _PAGE else _BUSY_PAUSE_S

    def _to_say(self, job: DueJob, now_us: int) -> bool:
        if self._said.get(job, 0) > now_us - _SAY_AGAIN_US:
            return False
        return self._peers.is_mine(job.job_id) or job.due_at_us <= now_us - _STEP_IN_US

    async def _publish(self, jobs: list[DueJob]) -> None:
        message = v1.JobsDue(
            job_ids=[job.job_id for job in jobs], due_at_us=[job.due_at_us for job in jobs], scheduler=self._peers.name
        )
        data = message.SerializeToString()
        await self._bus.publish_durable(Publication(self._bus.subjects.due, data, f"due:{uuid.uuid4().hex}"))

    async def _hear(self, message: Msg) -> None:
        try:
            said = v1.JobsDue.FromString(message.data)
        except DecodeError as error:
            _log.warning("jobs due not understood", error=str(error))
            return
        if said.scheduler != self._peers.name:
            self._said |= dict.fromkeys(map(DueJob, said.job_ids, said.due_at_us), self._clock.now_us())

    def _forget(self, now_us: int) -> None:
        if len(self._said) > 10 * _PAGE:
            self._said = {job: at_us for job, at_us in self._said.items() if at_us > now_us - _SAY_AGAIN_US}
