"""The worker, put together."""

import asyncio
import itertools
import os
import socket
from collections.abc import Callable, Iterable
from importlib.metadata import version as installed_version

import structlog

from gotask import v1
from gotask.bus.bus import Bus
from gotask.bus.errors import Code, CommandError
from gotask.sdk.app import App
from gotask.sdk.attempt.hooks import call_hooks
from gotask.sdk.client.client import Client
from gotask.sdk.client.nats.transport import NatsTransport
from gotask.sdk.client.settings import ClientSettings
from gotask.sdk.middleware import overridden
from gotask.service.clock import Clock
from gotask.service.telemetry import OFF, Telemetry
from gotask.worker.about import FailureLog
from gotask.worker.claims import Claims
from gotask.worker.drain import DrainCommands
from gotask.worker.execution import Executor
from gotask.worker.heartbeat import Heartbeats
from gotask.worker.pool.pool import PoolLimits, ProcessPool
from gotask.worker.pool.process import ChildSettings
from gotask.worker.results import Results
from gotask.worker.running import Interruption, RunningJob
from gotask.worker.settings import WorkerSettings
from gotask.worker.watchdog import Watchdog

_log = structlog.get_logger("gotask.worker")

_MAX_RUNS = 20
_HAND_BACK_S = 1.0
_TELL_S = 1.0


class WorkerService:
    """Claims jobs, runs their handlers, reports what came of it."""

    name = "worker"

    def __init__(self, settings: WorkerSettings, bus: Bus, app: App, clock: Clock, telemetry: Telemetry = OFF) -> None:
        self._settings = settings
        self._bus = bus
        self._clock = clock
        self._telemetry = telemetry
        self._app = app
        self._queues = settings.queues or app.queues
        self._started_at_us = clock.now_us()
        self._version = installed_version("gotask")
        self._draining = False
        self._stopping = False
        self._hurried = asyncio.Event()
        self._held: dict[str, RunningJob] = {}
        self._results = Results(bus, settings.worker_id, self._forget)
        self._executor = Executor(
            app,
            clock,
            settings.worker_id,
            settings.concurrency,
            _pool(settings, app, self._on_progress),
            report=self._on_progress,
            on_result=self._on_result,
            on_free=self._on_free,
            failures=FailureLog(payloads=settings.log_payloads),
            telemetry=telemetry,
        )
        self._claims = Claims(
            bus, settings.worker_id, self._queues, settings.concurrency, settings.claim_wait, self._start_jobs
        )
        self._heartbeats = Heartbeats(bus, settings.heartbeat, self._describe, self._held, self._executor.interrupt)
        self._commands = DrainCommands(bus, settings.worker_id, self.drain, self.resume)
        self._watchdog = Watchdog(app.handlers)
        reached = ClientSettings.load(settings.nats_url, settings.namespace)
        app.lend(Client(transport=NatsTransport(reached, bus)))

    async def start(self) -> None:
        await self._call_hooks("after_process_start")
        await self._call_hooks("before_worker_start", self._settings.worker_id)
        self._watchdog.start()
        await self._results.start()
        await self._executor.start()
        await self._heartbeats.start()
        _log.info("serves", queues=self._queues, types=self._app.types)
        await self._claims.start()
        await self._commands.start()
        await self._call_hooks("after_worker_start", self._settings.worker_id)

    async def stop(self) -> None:
        """Claims nothing more, lets jobs finish for the grace period, and hands the rest back."""
        self._stopping = True
        self._draining = True
        await self._call_hooks("before_worker_stop", self._settings.worker_id)
        await self._claims.pause()
        await self._executor.finished(self._settings.grace, self._hurried)
        await self._hand_back()
        await self._results.stop()
        await self._heartbeats.stop()
        await self._heartbeats.beat()
        await self._executor.stop()
        self._watchdog.stop()
        await self._call_hooks("after_worker_stop", self._settings.worker_id)
        await self._call_hooks("before_process_end")

    def hurry(self) -> None:
        """Cuts the grace period short."""
        self._hurried.set()

    async def drain(self) -> v1.WorkerInfo:
        """Claims nothing more; running jobs go on, and the worker stays."""
        self._draining = True
        await self._claims.pause()
        return await self._tell_state()

    async def resume(self) -> v1.WorkerInfo:
        """Ends a drain. FAILED_PRECONDITION when the worker is stopping."""
        if self._stopping:
            raise CommandError(Code.FAILED_PRECONDITION, f"worker {self._settings.worker_id!r} is stopping", "id")
        if self._draining:
            self._draining = False
            self._claims.resume()
        return await self._tell_state()

    async def _tell_state(self) -> v1.WorkerInfo:
        """Lists show it at once, if the queue-manager hears it."""
        await asyncio.wait([asyncio.create_task(self._heartbeats.beat())], timeout=_TELL_S)
        return self._describe()

    async def _hand_back(self) -> None:
        for job in list(self._executor.running):
            _log.info("handing back", job_id=job.job_id, type=job.spec.type)
            self._executor.interrupt(job, Interruption.RETURNED)
        await self._executor.finished(self._settings.pool_patience + _HAND_BACK_S, asyncio.Event())

    async def _call_hooks(self, name: str, *arguments: str) -> None:
        await call_hooks(overridden(self._app.middleware, name), *arguments)

    async def missing(self) -> list[str]:
        return [] if self._bus.connected else ["connection to NATS"]

    def _start_jobs(self, reply: v1.ClaimReply) -> int:
        """Starts the jobs of one part of an answer; how many."""
        specs = [v1.JobSpec.FromString(data) for data in reply.specs]
        for spec, attempt, tries in zip(specs, reply.attempts, reply.tries, strict=True):
            job = self._executor.start_job(spec, attempt, tries)
            if job.job_id in self._held:
                self._executor.interrupt(self._held[job.job_id], Interruption.LEASE_LOST)
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
            queues=self._queues,
            types=self._app.types,
            concurrency=self._settings.concurrency,
            running=len(self._executor.running),
            started_at_us=self._started_at_us,
            draining=self._draining,
            version=self._version,
            runs=[
                v1.JobRun(job_id=job.job_id, type=job.spec.type, queue=job.spec.queue, started_at_us=job.started_at_us)
                for job in itertools.islice((job for job in self._held.values() if not job.ended), _MAX_RUNS)
            ],
        )


def _pool(settings: WorkerSettings, app: App, report: Callable[[str, v1.Progress], None]) -> ProcessPool | None:
    """None when no handler needs one. ValueError when the children could not find the handlers."""
    types = [handler.type for handler in app.handlers if handler.in_process]
    if not types:
        return None
    if not app.places:
        raise ValueError(f"{', '.join(types)}: to run in a process, an app must be loaded from module:attribute")
    return ProcessPool(
        ChildSettings(app.places, settings.log_level, settings.log_format),
        PoolLimits(settings.pool_size, settings.pool_memory_limit, settings.pool_max_jobs, settings.pool_patience),
        report,
    )
