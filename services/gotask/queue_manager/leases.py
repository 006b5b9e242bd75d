"""Leases: heartbeats extend them, silence ends them."""

import asyncio
import time

import structlog

from gotask import v1
from gotask.bus.bus import Bus
from gotask.bus.errors import Code, CommandError
from gotask.bus.group_commit import GroupCommit
from gotask.bus.job_events import KIND_OF_STATE
from gotask.jobs.history import history_of
from gotask.jobs.outcomes import Decision, after_lost_lease
from gotask.jobs.states import PENDING
from gotask.queue_manager.dispatch import GROUP, Dispatcher
from gotask.queue_manager.outcomes import Outcomes
from gotask.queue_manager.publishing import EventPublisher
from gotask.queue_manager.queues import Queues
from gotask.queue_manager.settings import QueueManagerSettings
from gotask.service.clock import Clock
from gotask.service.tasks import stop_task
from gotask.service.telemetry import Telemetry
from gotask.service.unavailable import unavailable_as_status
from gotask.storage.contract import (
    ExpiredLease,
    Finish,
    FinishStatus,
    Lease,
    LeaseStatus,
    Storage,
    StorageError,
)

_log = structlog.get_logger("gotask.queue_manager")

_DEFAULT_LEASE_US = 30_000_000
_SCAN_LIMIT = 500
_LATE_S = 1.0
_HEARING_S = 0.05
"""Time for the other queue-managers to hear whose claims are not to be served."""


class Leases:
    """Answers Heartbeats, and takes jobs away from workers that fell silent.

    Silence counts only while it could have been broken: after a start, an outage of the broker or the storage, or a
    pause of this process, workers have the time of a first lease to be heard again.
    """

    def __init__(
        self,
        settings: QueueManagerSettings,
        bus: Bus,
        storage: Storage,
        clock: Clock,
        queues: Queues,
        dispatcher: Dispatcher,
        outcomes: Outcomes,
        events: EventPublisher,
        telemetry: Telemetry,
    ) -> None:
        self._settings = settings
        self._bus = bus
        self._storage = storage
        self._clock = clock
        self._queues = queues
        self._dispatcher = dispatcher
        self._outcomes = outcomes
        self._events = events
        self._telemetry = telemetry
        self._beats = GroupCommit(self._extend, max_items=200, sizes=bus.measures.batches["heartbeats"])
        self._scanning: asyncio.Task[None] | None = None
        self._judges_from = 0.0

    async def start(self) -> None:
        self._was_deaf()
        self._bus.on_reconnect(self._was_deaf)
        await self._bus.serve(self._bus.subjects.heartbeat, GROUP, self._on_heartbeat)
        self._scanning = asyncio.create_task(self._scan())

    async def stop(self) -> None:
        await stop_task(self._scanning)
        await self._beats.drain()

    def _was_deaf(self) -> None:
        """Heartbeats may have been missed: no lease is judged until there was time to hear from every worker."""
        self._judges_from = time.monotonic() + self._settings.first_lease

    async def _on_heartbeat(self, data: bytes) -> v1.HeartbeatReply:
        heartbeat = v1.Heartbeat.FromString(data)
        if not heartbeat.worker.id:
            raise CommandError(Code.INVALID_ARGUMENT, "is missing", "worker.id")
        if not len(heartbeat.job_ids) == len(heartbeat.attempts) == len(heartbeat.queues):
            raise CommandError(Code.INVALID_ARGUMENT, "job_ids, attempts and queues differ in length", "job_ids")
        with unavailable_as_status():
            return await self._beats.submit(heartbeat)

    async def _extend(self, beats: list[v1.Heartbeat]) -> list[v1.HeartbeatReply]:
        try:
            return await self._extend_all(beats)
        except StorageError:
            self._was_deaf()
            raise

    async def _extend_all(self, beats: list[v1.Heartbeat]) -> list[v1.HeartbeatReply]:
        """One storage call for the leases of all heartbeats, one for their workers."""
        now_us = self._clock.now_us()
        leases = [
            Lease(job_id, queue, attempt)
            for beat in beats
            for job_id, queue, attempt in zip(beat.job_ids, beat.queues, beat.attempts, strict=True)
        ]
        until_us = [now_us + self._lease_us(lease.queue) for lease in leases]
        statuses = iter(await self._storage.extend_leases(leases, until_us) if leases else ())
        for beat in beats:
            beat.worker.seen_at_us = now_us
        await self._storage.put_workers(
            [beat.worker for beat in beats], now_us + round(self._settings.worker_ttl * 1e6)
        )
        replies = []
        for beat in beats:
            reply = v1.HeartbeatReply()
            for job_id in beat.job_ids:
                status = next(statuses)
                if status is LeaseStatus.LOST:
                    reply.lost.append(job_id)
                elif status is LeaseStatus.CANCEL_REQUESTED:
                    reply.cancelled.append(job_id)
            replies.append(reply)
        return replies

    def _lease_us(self, name: str) -> int:
        queue = self._queues.get(name)
        return queue.lease_us if queue is not None else _DEFAULT_LEASE_US

    async def _scan(self) -> None:
        while True:
            due = time.monotonic() + self._settings.lease_scan
            await asyncio.sleep(self._settings.lease_scan)
            if time.monotonic() > due + _LATE_S:
                # This process was paused, or too busy to hear anybody.
                self._was_deaf()
            if time.monotonic() < self._judges_from:
                continue
            try:
                while await self._take_back() == _SCAN_LIMIT:
                    pass
            except StorageError as error:
                _log.warning("leases not scanned", error=str(error))
                self._was_deaf()
            except Exception:
                _log.exception("leases not scanned")

    async def _silence(self, workers: set[str]) -> None:
        """Before their jobs are pending again, or these might go back to the same workers."""
        for worker in workers:
            await self._dispatcher.withdraw(worker)
        await asyncio.sleep(_HEARING_S)

    async def _take_back(self) -> int:
        """Ends the attempts of silent workers; how many it found."""
        now_us = self._clock.now_us()
        expired = await self._storage.expired_leases(now_us, _SCAN_LIMIT)
        if not expired:
            return 0
        await self._silence({lease.worker for lease in expired})
        jobs = await self._storage.get_jobs([lease.job_id for lease in expired])
        lost = [(lease, job) for lease, job in zip(expired, jobs, strict=True) if job is not None]
        decisions = [after_lost_lease(job, self._outcomes.keeps_dead_letters(lease.queue)) for lease, job in lost]
        attempts = [_lost_attempt(lease, job, now_us) for lease, job in lost]
        finished = await self._storage.finish(
            [
                _finish(lease, attempt, decision)
                for (lease, _), attempt, decision in zip(lost, attempts, decisions, strict=True)
            ],
            now_us,
        )
        log = self._events.new_log(now_us)
        ready: dict[str, int] = {}
        for (lease, job), attempt, (status, state) in zip(lost, attempts, finished, strict=True):
            if status is not FinishStatus.APPLIED:
                continue
            self._telemetry.lost(job.spec, attempt)
            _log.warning("lease lost", job_id=lease.job_id, queue=lease.queue, worker=lease.worker)
            # Pending again, or a slot of a limited queue is free.
            ready[lease.queue] = ready.get(lease.queue, 0) + 1
            kind = v1.EVENT_KIND_RETRYING if state == PENDING else KIND_OF_STATE[state]
            batch = log.batch(kind, lease.queue, job.spec.type, lease.worker)
            batch.job_ids.append(lease.job_id)
            batch.attempts.append(lease.attempt)
            batch.run_us.append(attempt.finished_at_us - attempt.started_at_us)
            batch.errors.append(attempt.error)
        self._events.publish(log)
        self._dispatcher.wake(ready)
        return len(expired)


def _lost_attempt(lease: ExpiredLease, job: v1.Job, now_us: int) -> v1.Attempt:
    error = v1.JobError(type="LeaseLost", message=f"worker {lease.worker!r} was not heard in time")
    return v1.Attempt(
        attempt=lease.attempt,
        worker=lease.worker,
        started_at_us=job.started_at_us or now_us,
        finished_at_us=now_us,
        outcome=v1.OUTCOME_LEASE_LOST,
        error=error,
    )


def _finish(lease: ExpiredLease, attempt: v1.Attempt, decision: Decision) -> Finish:
    return Finish(lease.job_id, lease.queue, lease.attempt, decision.state, history_of(attempt))
