"""Heartbeats: keep leases alive, and bring back what was cancelled or lost.

They are sent by the event loop, on purpose: a worker whose loop is blocked falls silent, and its jobs move to others
within the lease. What it makes of them later changes nothing.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping

import structlog
from nats.aio.msg import Msg

from gotask import v1
from gotask.bus.bus import Bus
from gotask.bus.errors import CommandError
from gotask.service.tasks import stop_task
from gotask.worker.running import Interruption, RunningJob

_log = structlog.get_logger("gotask.worker")

_TIMEOUT_S = 5.0


class Heartbeats:
    """Sends one message every few seconds for all that the worker holds; also when that is nothing."""

    def __init__(
        self,
        bus: Bus,
        every_s: float,
        describe: Callable[[], v1.WorkerInfo],
        held: Mapping[str, RunningJob],
        interrupt: Callable[[RunningJob, Interruption], None],
    ) -> None:
        self._bus = bus
        self._every_s = every_s
        self._describe = describe
        self._held = held
        self._interrupt = interrupt
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._bus.subscribe(self._bus.subjects.cancel(self._describe().id), self._on_cancel)
        self._loop = asyncio.create_task(self._run())

    async def stop(self) -> None:
        await stop_task(self._loop)

    async def beat(self) -> None:
        """Sends one heartbeat, and does what its answer says; a heartbeat that nobody answers is only logged."""
        jobs = list(self._held.values())
        heartbeat = v1.Heartbeat(
            worker=self._describe(),
            job_ids=[job.job_id for job in jobs],
            attempts=[job.attempt for job in jobs],
            queues=[job.spec.queue for job in jobs],
        )
        try:
            reply = await self._bus.request(
                self._bus.subjects.heartbeat, heartbeat, v1.HeartbeatReply, timeout_s=_TIMEOUT_S
            )
        except CommandError as error:
            _log.warning("heartbeat not answered", jobs=len(jobs), error=error.message)
            return
        told_of = {job.job_id: job for job in jobs}  # by now another attempt of a job may be held
        self._interrupt_all(told_of, reply.cancelled, Interruption.CANCELLED)
        self._interrupt_all(told_of, reply.lost, Interruption.LEASE_LOST)

    async def _run(self) -> None:
        while True:
            started = asyncio.get_running_loop().time()
            await self.beat()
            elapsed = asyncio.get_running_loop().time() - started
            await asyncio.sleep(max(self._every_s - elapsed, 0.1))

    async def _on_cancel(self, message: Msg) -> None:
        self._interrupt_all(self._held, v1.CancelJobs.FromString(message.data).job_ids, Interruption.CANCELLED)

    def _interrupt_all(self, jobs: Mapping[str, RunningJob], job_ids: Iterable[str], why: Interruption) -> None:
        for job_id in job_ids:
            job = jobs.get(job_id)
            if job is not None:
                self._interrupt(job, why)
