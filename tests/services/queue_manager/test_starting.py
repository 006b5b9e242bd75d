"""A queue-manager that starts, or stops, while the storage or the broker is away."""

from collections.abc import Sequence
from typing import Any, cast

import nats.errors as nats_errors
import nats.js.errors as js_errors
import pytest
import structlog
from nats.js import JetStreamContext

from gotask import v1
from gotask.bus.bus import Bus
from gotask.bus.streams import ACK_WAIT_S, ensure_consumer
from gotask.queue_manager.queues import Queues
from gotask.queue_manager.settings import QueueManagerSettings
from gotask.service.clock import SystemClock
from gotask.service.service import StartFailed
from gotask.storage.contract import Inserted, JobFilter, StorageUnavailable
from gotask.storage.memory import MemoryStorage
from tests.services.queue_manager.support import desk
from tests.support.servers import Server
from tests.support.waiting import wait_until


class Away(MemoryStorage):
    """Does not answer the first so many reads of queues, and no insertion until it is told to."""

    def __init__(self, times: int = 0, takes_jobs: bool = True) -> None:
        super().__init__()
        self.times = times
        self.takes_jobs = takes_jobs
        self.refused = 0

    async def insert_jobs(self, specs: Sequence[v1.JobSpec], now_us: int) -> list[Inserted]:
        if not self.takes_jobs:
            self.refused += 1
            raise StorageUnavailable("nobody is there")
        return await super().insert_jobs(specs, now_us)

    async def get_queues(self, names: Sequence[str] | None = None) -> list[v1.Queue]:
        if self.times:
            self.times -= 1
            raise StorageUnavailable("nobody is there")
        return await super().get_queues(names)


async def test_it_waits_for_a_storage_that_went_away_during_the_start(nats: Server, namespace: str) -> None:
    storage = Away(3)
    async with desk(nats.address, namespace, storage) as counter:
        await counter.hears("created", await counter.submit())
    assert storage.times == 0


async def test_it_says_why_it_cannot_start_when_the_storage_stays_away(nats: Server, namespace: str) -> None:
    settings = QueueManagerSettings.load(nats_url=nats.address, namespace=namespace, start_timeout=0.2)
    bus = await Bus.open(settings, "starting")
    try:
        with pytest.raises(StartFailed, match="the queues cannot be read: nobody is there"):
            await Queues(settings, bus, Away(1_000), SystemClock()).start()
    finally:
        await bus.close()


class Restarting:
    """A broker that has just been restarted: it answers, then JetStream does, then it does what it is asked."""

    def __init__(self, stream_exists: bool) -> None:
        self.asked = 0
        self.made: list[str] = []
        self._stream_exists = stream_exists

    async def consumer_info(self, stream: str, durable: str) -> None:
        self.asked += 1
        if self.asked == 1:
            raise nats_errors.NoRespondersError
        if self.asked == 2:
            raise js_errors.ServiceUnavailableError
        raise js_errors.NotFoundError

    async def add_consumer(self, stream: str, config: Any) -> None:
        if not self._stream_exists:
            raise js_errors.NotFoundError
        self.made.append(config.durable_name)


async def test_it_waits_for_a_broker_that_was_restarted_during_the_start() -> None:
    broker = Restarting(stream_exists=True)
    await ensure_consumer(cast("JetStreamContext", broker), "s_SUBMIT", "queue-manager")
    assert broker.made == ["queue-manager"]


async def test_it_does_not_wait_for_a_stream_that_is_not_there() -> None:
    broker = Restarting(stream_exists=False)
    with pytest.raises(js_errors.NotFoundError):
        await ensure_consumer(cast("JetStreamContext", broker), "s_SUBMIT", "queue-manager")
    assert broker.asked == 3


async def test_what_it_could_not_store_before_it_stopped_is_stored_by_the_next(nats: Server, namespace: str) -> None:
    storage = Away(takes_jobs=False)
    with structlog.testing.capture_logs() as log:
        async with desk(nats.address, namespace, storage) as counter:
            await counter.submit()
            await wait_until(lambda: storage.refused, "the storage was asked")
    assert [line["event"] for line in log if line["log_level"] == "error"] == []
    storage.takes_jobs = True
    async with desk(nats.address, namespace, storage):

        async def is_stored() -> bool:
            return len((await storage.list_jobs(JobFilter(), "", 1)).jobs) == 1

        # Well before the broker would give it out again by itself.
        await wait_until(is_stored, "the job is stored", ACK_WAIT_S / 3)
