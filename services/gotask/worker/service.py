"""The worker, put together."""

import os
import socket
from collections.abc import Iterable

import structlog

from gotask import v1
from gotask.bus.bus import Bus
from gotask.sdk.app import App
from gotask.service.clock import Clock
from gotask.service.telemetry import OFF, Telemetry
from gotask.worker.claims import Claims
from gotask.worker.execution import Executor
from gotask.worker.heartbeat import Heartbeats
from gotask.worker.results import Results
from gotask.worker.running import Interruption, RunningJob
from gotask.worker.settings import WorkerSettings

_log = structlog.get_logger("gotask.worker")


class WorkerService:
    """Claims jobs, runs their handlers, reports what came of it."""

    name = "worker"

    def __init__(self, settings: WorkerSettings, bus: Bus, app: App, clock: Clock, telemetry: Telemetry = OFF) -> None:
        self._settings = settings
        self._bus = bus
        self._clock = clock
        self._telemetry = telemetry
        self._app = app
        self._started_at_us = clock.now_us()
        self._draining = False
        self._held: dict[str, RunningJob] = {}
        self._results = Results(bus, settings.worker_id, self._forget)
        self._executor = Executor(
            app,
            clock,
            settings.worker_id,
            settings.concurrency,
            report=self._on_progress,
            on_result=self._on_result,
            on_free=self._on_free,
            telemetry=telemetry,
        )
        self._claims = Claims(
            bus, settings.worker_id, settings.queues, settings.concurrency, settings.claim_wait, self._start_jobs
        )
        self._heartbeats = Heartbeats(bus, settings.heartbeat, self._describe, self._held)

    async def start(self) -> None:
        await self._results.start()
        await self._executor.start()
        await self._heartbeats.start()
        await self._claims.start()

    async def stop(self) -> None:
        """Claims nothing more, lets jobs finish for the grace period, and hands the rest back."""
        self._draining = True
        await self._claims.stop()
        await self._executor.finished(self._settings.grace)
        for job in list(self._executor.running):
            _log.info("handing back", job_id=job.job_id, type=job.spec.type)
            job.interrupt(Interruption.RETURNED)
        await self._executor.finished(1)
        await self._executor.stop()
        await self._results.stop()
        await self._heartbeats.stop()
        await self._heartbeats.beat()

    async def missing(self) -> list[str]:
        return [] if self._bus.connected else ["connection to NATS"]

    def _start_jobs(self, reply: v1.ClaimReply) -> int:
        """Starts the jobs of one part of an answer; how many."""
        specs = [v1.JobSpec.FromString(data) for data in reply.specs]
        for spec, attempt, tries in zip(specs, reply.attempts, reply.tries, strict=True):
            job = self._executor.start_job(spec, attempt, tries)
            self._held[job.job_id] = job
        self._telemetry.claimed(reply, specs, self._clock.now_us())
        return len(specs)

    def _on_result(self, job: RunningJob, result: v1.JobResult | None) -> None:
        if result is None:
            self._forget([job])
        else:
            self._results.submit(job, result)

    def _forget(self, jobs: Iterable[RunningJob]) -> None:
        """Another attempt of the same job may be held by now: that one stays."""
        for job in jobs:
            if self._held.get(job.job_id) is job:
                del self._held[job.job_id]

    def _on_free(self) -> None:
        self._claims.free()

    def _on_progress(self, job_id: str, progress: v1.Progress) -> None:
        job = self._held.get(job_id)
        if job is not None and not job.ended:
            self._results.progress(
                v1.JobProgress(job_id=job_id, attempt=job.attempt, progress=progress, queue=job.spec.queue)
            )

    def _describe(self) -> v1.WorkerInfo:
        return v1.WorkerInfo(
            id=self._settings.worker_id,
            hostname=socket.gethostname(),
            pid=os.getpid(),
            queues=self._settings.queues,
            types=self._app.types,
            concurrency=self._settings.concurrency,
            running=len(self._executor.running),
            started_at_us=self._started_at_us,
            draining=self._draining,
        )
