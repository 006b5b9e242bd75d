"""Deliveries: claimed jobs on their way to a worker; what reaches nobody goes back at once."""

import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import structlog
from nats.aio.msg import Msg

from gotask import v1
from gotask.bus.bus import Bus
from gotask.jobs.history import history_of
from gotask.jobs.outcomes import RETURNED
from gotask.queue_manager.publishing import EventPublisher
from gotask.service.clock import Clock
from gotask.storage.contract import Finish, FinishStatus, Storage, StorageError

_log = structlog.get_logger("gotask.queue_manager")

_WATCHED_US = 1_000_000


class _Delivery(NamedTuple):
    sent_at_us: int
    worker: str
    reply: v1.ClaimReply


class Deliveries:
    """Sends claim replies, each with an address to which the broker says that nobody was there to take it.

    A worker that was killed leaves its parked claims behind. Without this, each would swallow jobs for the length of a
    first lease, and use up one of their attempts.
    """

    def __init__(
        self,
        bus: Bus,
        storage: Storage,
        clock: Clock,
        events: EventPublisher,
        on_returned: Callable[[Mapping[str, int]], None],
    ) -> None:
        """
        :param on_returned: hears how many jobs of each queue are pending again.
        """
        self._bus = bus
        self._storage = storage
        self._clock = clock
        self._events = events
        self._on_returned = on_returned
        self._inbox = bus.client.new_inbox()
        self._tokens = itertools.count()
        self._watched: dict[str, _Delivery] = {}

    async def start(self) -> None:
        await self._bus.subscribe(f"{self._inbox}.*", self._on_undelivered)

    async def send(self, subject: str, worker: str, reply: v1.ClaimReply) -> None:
        """Sends jobs to the worker that waits for them at *subject*."""
        now_us = self._clock.now_us()
        self._forget(now_us - _WATCHED_US)
        token = str(next(self._tokens))
        self._watched[token] = _Delivery(now_us, worker, reply)
        await self._bus.publish(subject, reply.SerializeToString(), reply=f"{self._inbox}.{token}")

    def _forget(self, before_us: int) -> None:
        """The broker answers within milliseconds or not at all."""
        while self._watched:
            oldest = next(iter(self._watched))
            if self._watched[oldest].sent_at_us > before_us:
                return
            del self._watched[oldest]

    async def _on_undelivered(self, message: Msg) -> None:
        delivery = self._watched.pop(message.subject.rsplit(".", 1)[-1], None)
        if delivery is None:
            return
        _log.info("jobs not delivered", worker=delivery.worker, jobs=len(delivery.reply.specs))
        try:
            await self._return(delivery)
        except StorageError as error:
            _log.warning("undelivered jobs wait for the end of their lease", error=str(error))

    async def _return(self, delivery: _Delivery) -> None:
        """The jobs take the place in line that they had, and no attempt is used up."""
        now_us = self._clock.now_us()
        specs = [v1.JobSpec.FromString(data) for data in delivery.reply.specs]
        finishes = _returns(specs, delivery, now_us)
        log = self._events.new_log(now_us)
        ready: Counter[str] = Counter()
        for spec, finish, finished in zip(specs, finishes, await self._storage.finish(finishes, now_us), strict=True):
            if finished.status is FinishStatus.APPLIED and finished.state == RETURNED.state:
                ready[spec.queue] += 1
                columns = log.batch(v1.EVENT_KIND_RETURNED, spec.queue, spec.type, delivery.worker)
                columns.job_ids.append(spec.id)
                columns.attempts.append(finish.attempt)
        self._events.publish(log)
        self._on_returned(ready)


def _returns(specs: Sequence[v1.JobSpec], delivery: _Delivery, now_us: int) -> list[Finish]:
    finishes = []
    for spec, number in zip(specs, delivery.reply.attempts, strict=True):
        attempt = v1.Attempt(
            attempt=number,
            worker=delivery.worker,
            started_at_us=delivery.sent_at_us,
            finished_at_us=now_us,
            outcome=v1.OUTCOME_RETURNED,
        )
        finishes.append(
            Finish(spec.id, spec.queue, number, RETURNED.state, history_of(attempt), forgiven=RETURNED.forgiven)
        )
    return finishes
