"""Due jobs are said once, however many schedulers there are, and again when nothing came of it."""

from collections.abc import AsyncIterator

import pytest

from gotask import v1
from gotask.bus.bus import Bus
from gotask.bus.subjects import Stream
from gotask.jobs.request import default_queue
from gotask.scheduler.due import DueJobs
from gotask.scheduler.peers import Peers
from gotask.service.settings import ServiceSettings
from gotask.storage.contract import DueJob
from gotask.storage.memory import MemoryStorage
from tests.services.scheduler.world import MovingClock
from tests.storage.support import NOW, SECOND, insert, job
from tests.support.servers import Server
from tests.support.streams import messages_in
from tests.support.waiting import wait_until

DUE = NOW + 10 * SECOND


class CountingStorage(MemoryStorage):
    """Counts how often it was asked what is due."""

    looks = 0

    async def due_jobs(self, now_us: int, limit: int) -> list[DueJob]:
        self.looks += 1
        return await super().due_jobs(now_us, limit)

    async def looked_at_again(self) -> None:
        before = self.looks
        await wait_until(lambda: self.looks >= before + 2, "a scheduler has looked twice")


class Scheduler:
    """One that says what is due, with a clock of its own."""

    def __init__(self, bus: Bus, storage: CountingStorage) -> None:
        self.bus = bus
        self.clock = MovingClock(DUE - 1)
        self.peers = Peers(bus, self.clock)
        self.due = DueJobs(bus, storage, self.clock, self.peers, poll_s=0.01)


class Pair:
    """Two schedulers; neither has reached the time when something is due."""

    def __init__(self, first: Scheduler, second: Scheduler, storage: CountingStorage) -> None:
        self.first = first
        self.second = second
        self.storage = storage

    async def jobs_said(self) -> list[str]:
        """The jobs of all messages."""
        messages = await messages_in(self.first.bus, Stream.DUE)
        return [job for data in messages for job in v1.JobsDue.FromString(data).job_ids]

    async def all_said(self, job_ids: list[str]) -> None:
        async def enough() -> bool:
            return set(await self.jobs_said()) == set(job_ids)

        await wait_until(enough, "all jobs are said")

    async def messages(self) -> int:
        """How often something was said."""
        info = await self.first.bus.js.stream_info(self.first.bus.subjects.stream(Stream.DUE))
        return info.state.messages

    async def said(self, messages: int) -> None:
        async def enough() -> bool:
            return await self.messages() == messages

        await wait_until(enough, f"{messages} messages were published")


@pytest.fixture
async def pair(nats: Server, namespace: str) -> AsyncIterator[Pair]:
    storage = CountingStorage()
    await storage.create_queue(default_queue("default", NOW))
    settings = ServiceSettings.load(nats_url=nats.address, namespace=namespace)
    first, second = [Scheduler(await Bus.open(settings, f"scheduler-{number}"), storage) for number in range(2)]
    for one in (first, second):
        await one.due.start()
    yield Pair(first, second, storage)
    for one in (first, second):
        await one.due.stop()
        await one.bus.close()


async def test_what_one_has_said_the_other_leaves_out(pair: Pair) -> None:
    await insert(pair.storage, job(scheduled_at_us=DUE), job(scheduled_at_us=DUE + 1), now=NOW)
    pair.first.clock.true_us = DUE + 1
    await pair.said(1)
    await pair.second.bus.client.flush()
    pair.second.clock.true_us = DUE + 1
    await pair.storage.looked_at_again()
    assert await pair.messages() == 1


async def test_what_is_still_due_after_a_while_is_said_again(pair: Pair) -> None:
    await insert(pair.storage, job(scheduled_at_us=DUE), now=NOW)
    pair.first.clock.true_us = DUE
    await pair.said(1)
    pair.first.clock.true_us = DUE + 4 * SECOND
    await pair.storage.looked_at_again()
    assert await pair.messages() == 1
    pair.first.clock.true_us = DUE + 5 * SECOND
    await pair.said(2)


async def test_a_job_that_is_due_again_at_another_time_is_said_at_once(pair: Pair) -> None:
    (job_id,) = await insert(pair.storage, job(scheduled_at_us=DUE), now=NOW)
    message = v1.JobsDue(job_ids=[job_id], due_at_us=[DUE - 1], scheduler="another")
    await pair.second.bus.publish(pair.second.bus.subjects.due, message.SerializeToString())
    await pair.said(1)
    pair.second.clock.true_us = DUE
    await pair.said(2)


async def test_a_message_that_is_none_is_ignored(pair: Pair) -> None:
    await pair.first.bus.publish(pair.first.bus.subjects.due, b"\xff")
    await pair.said(1)
    await insert(pair.storage, job(scheduled_at_us=DUE), now=NOW)
    pair.first.clock.true_us = DUE
    await pair.said(2)


async def test_jobs_are_shared_between_those_that_know_of_each_other(pair: Pair) -> None:
    for one in (pair.first, pair.second):
        await one.peers.start()
    ids = await insert(pair.storage, *(job(scheduled_at_us=DUE) for _ in range(40)), now=NOW)
    await wait_until(
        lambda: all(pair.first.peers.is_mine(one) != pair.second.peers.is_mine(one) for one in ids),
        "they know of each other",
    )
    for one in (pair.first, pair.second):
        one.clock.true_us = DUE
    await pair.all_said(ids)
    await pair.storage.looked_at_again()
    assert len(await pair.jobs_said()) == len(ids)
    for one in (pair.first, pair.second):
        await one.peers.stop()


async def test_jobs_of_one_that_is_silent_are_said_a_little_later(pair: Pair) -> None:
    await pair.first.peers.start()
    ghosts = [v1.SchedulerHere(name=f"ghost {number}") for number in range(20)]
    ids = await insert(pair.storage, *(job(scheduled_at_us=DUE) for _ in range(9)), now=NOW)

    async def are_known() -> bool:
        """What is said before the subscription has reached the broker is heard by nobody: it is said again."""
        for ghost in ghosts:
            await pair.second.bus.publish(pair.second.bus.subjects.schedulers, ghost.SerializeToString())
        return not all(map(pair.first.peers.is_mine, ids))

    await wait_until(are_known, "the ghosts are known")
    pair.first.clock.true_us = DUE
    await pair.storage.looked_at_again()
    assert len(await pair.jobs_said()) < len(ids)
    pair.first.clock.true_us = DUE + SECOND // 10
    await pair.all_said(ids)
    await pair.first.peers.stop()
