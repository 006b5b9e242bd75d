"""Dispatch: claims are parked, and served together the moment there is work."""

import asyncio
import contextlib
from collections.abc import Mapping
from itertools import pairwise

import structlog
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from gotask import v1
from gotask.bus.bus import Bus
from gotask.queue_manager.deliveries import Deliveries
from gotask.queue_manager.parking import ParkedClaim, Parking
from gotask.queue_manager.publishing import EventPublisher
from gotask.queue_manager.queues import Queues
from gotask.queue_manager.settings import QueueManagerSettings
from gotask.queue_manager.shares import ShareKeeper
from gotask.service.clock import Clock
from gotask.service.tasks import stop_task
from gotask.service.telemetry import Telemetry
from gotask.storage.contract import Claimed, Claims, Slot, Storage, StorageError

_log = structlog.get_logger("gotask.queue_manager")

GROUP = "queue-manager"
_MAX_SLOTS = 64
_MAX_CAPACITY = 5_000
_MAX_WAIT_US = 60_000_000
_COLUMN_BYTES = 24
_OUTAGE_PAUSE_S = 0.2
_MANY = 1_000_000


class Dispatcher:
    """Answers ClaimRequests. One storage call at a time serves many of them."""

    def __init__(
        self,
        settings: QueueManagerSettings,
        bus: Bus,
        storage: Storage,
        clock: Clock,
        queues: Queues,
        events: EventPublisher,
        telemetry: Telemetry,
    ) -> None:
        self._bus = bus
        self._storage = storage
        self._clock = clock
        self._queues = queues
        self._events = events
        self._telemetry = telemetry
        self._poll_s = settings.claim_poll
        self._first_lease_us = round(settings.first_lease * 1e6)
        self._parking = Parking()
        self._shares = ShareKeeper()
        self._deliveries = Deliveries(bus, storage, clock, events, self.wake)
        queues.on_change(self._on_queue_change)
        self._kick = asyncio.Event()
        self._stopping = False
        self._claims: Subscription | None = None
        self._serving: asyncio.Task[None] | None = None
        self._polling: asyncio.Task[None] | None = None
        self._hints: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        await self._deliveries.start()
        self._claims = await self._bus.subscribe(self._bus.subjects.claim, self._on_claim, GROUP)
        await self._bus.subscribe(self._bus.subjects.any_wake, self._on_wake)
        await self._bus.subscribe(self._bus.subjects.withdraw, self._on_withdraw)
        self._serving = asyncio.create_task(self._serve())
        self._polling = asyncio.create_task(self._poll())

    async def stop(self) -> None:
        """Takes no more claims, sends out what is being claimed, and answers every parked claim with nothing: its
        worker turns to another queue-manager."""
        claims, self._claims = self._claims, None
        if claims is not None and not self._bus.client.is_closed:
            await claims.unsubscribe()
        self._stopping = True
        self._kick.set()
        await stop_task(self._polling)
        if self._serving is not None:
            await self._serving
        for claim in list(self._parking.overdue(self._clock.now_us() + 2 * _MAX_WAIT_US)):
            await self._reply(claim, [], 0)

    def wake(self, ready: Mapping[str, int]) -> None:
        """Jobs became pending, or may be claimed now: so many per queue. Serves our claims, and tells the others."""
        if not ready:
            return
        if self._parking.wake(ready):
            self._kick.set()
        else:
            for queue, jobs in ready.items():
                hint = asyncio.create_task(self._tell(queue, jobs))
                self._hints.add(hint)
                hint.add_done_callback(self._hints.discard)

    async def withdraw(self, worker: str) -> None:
        """A worker fell silent: its claims, here and at the other queue-managers, get no jobs. Should it be alive, it
        makes new ones."""
        await self._let_go(worker)
        withdrawal = v1.ClaimRequest(worker=worker)
        await self._bus.publish(self._bus.subjects.withdraw, withdrawal.SerializeToString())

    async def _tell(self, queue: str, jobs: int) -> None:
        hint = v1.Wake(queue=queue, jobs=jobs)
        await self._bus.publish(self._bus.subjects.wake(queue), hint.SerializeToString())

    async def _on_wake(self, message: Msg) -> None:
        with contextlib.suppress(DecodeError):
            hint = v1.Wake.FromString(message.data)
            if self._parking.wake({hint.queue: hint.jobs}):
                self._kick.set()

    def _on_queue_change(self, name: str) -> None:
        """It may be new, or its limits may have been raised, or its pause is over."""
        if self._parking.wake({name: _MANY}):
            self._kick.set()

    async def _on_claim(self, message: Msg) -> None:
        try:
            request = v1.ClaimRequest.FromString(message.data)
        except DecodeError as error:
            _log.warning("claim not understood", error=str(error))
            return
        claim = ParkedClaim(
            worker=request.worker,
            queues=tuple(sorted(set(request.queues))),
            capacity=min(request.capacity, _MAX_CAPACITY),
            reply=message.reply,
            deadline_us=self._clock.now_us() + min(request.wait_us, _MAX_WAIT_US),
        )
        if self._stopping or not claim.reply or not claim.capacity or not claim.queues:
            await self._reply(claim, [], 0)
            return
        self._parking.park(claim)
        self._kick.set()

    async def _on_withdraw(self, message: Msg) -> None:
        """A worker stops, or was silent: its claims are answered with nothing, so that no job goes where nobody is."""
        with contextlib.suppress(DecodeError):
            await self._let_go(v1.ClaimRequest.FromString(message.data).worker)

    async def _let_go(self, worker: str) -> None:
        for claim in self._parking.withdraw(worker):
            await self._reply(claim, [], 0)

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self._poll_s)
            self._parking.poll()
            self._kick.set()
            for claim in list(self._parking.overdue(self._clock.now_us())):
                await self._reply(claim, [], 0)

    async def _serve(self) -> None:
        while not self._stopping:
            await self._kick.wait()
            self._kick.clear()
            while not self._stopping and (claims := self._parking.take(_MAX_SLOTS)):
                try:
                    await self._fill(claims)
                except Exception:
                    _log.exception("claims not served")
                    await asyncio.sleep(_OUTAGE_PAUSE_S)

    async def _fill(self, claims: list[ParkedClaim]) -> None:
        now_us = self._clock.now_us()
        lease_until_us = now_us + self._first_lease_us
        try:
            served = await self._storage.claim([self._slot(claim) for claim in claims], now_us, lease_until_us)
        except Exception as error:
            await self._put_back(claims)
            self._parking.poll()
            if not isinstance(error, StorageError):
                raise
            _log.warning("claims wait for the storage", error=str(error))
            await asyncio.sleep(_OUTAGE_PAUSE_S)
            return
        await self._put_back([claim for claim, jobs in zip(claims, served.jobs, strict=True) if not jobs])
        for claim, jobs in zip(claims, served.jobs, strict=True):
            if jobs:
                await self._reply(claim, jobs, lease_until_us)
                if len(jobs) == claim.capacity:
                    self._parking.more(claim.queues)
        self._publish(claims, served, now_us)

    async def _put_back(self, claims: list[ParkedClaim]) -> None:
        for claim in self._parking.put_back(claims):
            await self._reply(claim, [], 0)

    def _slot(self, claim: ParkedClaim) -> Slot:
        known = [queue for name in claim.queues if (queue := self._queues.get(name)) is not None]
        shares = self._shares.divide(known, claim.capacity) if known else []
        return Slot(claim.worker, claim.capacity, shares)

    async def _reply(self, claim: ParkedClaim, jobs: list[Claimed], lease_until_us: int) -> None:
        if not claim.reply:
            return
        claimed_at_us = lease_until_us - self._first_lease_us if self._telemetry.wants_claim_times else 0
        for part in _parts(jobs, lease_until_us, claimed_at_us, self._bus.max_payload):
            if part.specs:
                await self._deliveries.send(claim.reply, claim.worker, part)
            else:
                await self._bus.publish(claim.reply, part.SerializeToString())

    def _publish(self, claims: list[ParkedClaim], served: Claims, now_us: int) -> None:
        log = self._events.new_log(now_us)
        for claim, jobs in zip(claims, served.jobs, strict=True):
            for job in jobs:
                columns = log.batch(v1.EVENT_KIND_STARTED, job.queue, worker=claim.worker)
                columns.job_ids.append(job.job_id)
                columns.attempts.append(job.attempt)
                columns.wait_us.append(now_us - job.ready_at_us)
        for expired in served.expired:
            log.batch(v1.EVENT_KIND_EXPIRED, expired.queue).job_ids.append(expired.job_id)
        self._events.publish(log)


def _parts(jobs: list[Claimed], lease_until_us: int, claimed_at_us: int, max_bytes: int) -> list[v1.ClaimReply]:
    """The answer in as many messages as its size needs; the last one says that it is.

    :param claimed_at_us: 0 to leave out the times that only traces need.
    """
    cuts = [0]
    size = 0
    for index, job in enumerate(jobs):
        size += len(job.spec) + _COLUMN_BYTES
        if size > max_bytes and index > cuts[-1]:
            cuts.append(index)
            size = len(job.spec) + _COLUMN_BYTES
    parts = [_part(jobs[start:end], lease_until_us, claimed_at_us) for start, end in pairwise([*cuts, len(jobs)])]
    parts[-1].last = True
    return parts


def _part(jobs: list[Claimed], lease_until_us: int, claimed_at_us: int) -> v1.ClaimReply:
    return v1.ClaimReply(
        specs=[job.spec for job in jobs],
        attempts=[job.attempt for job in jobs],
        tries=[job.tries for job in jobs],
        lease_until_us=lease_until_us,
        ready_at_us=[job.ready_at_us for job in jobs] if claimed_at_us else (),
        claimed_at_us=claimed_at_us,
    )
