"""Every event is counted once, whatever is killed."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from nats.aio.msg import Msg
from nats.errors import TimeoutError as NatsTimeout

from gotask.bus.bus import Bus
from gotask.bus.streams import ensure_streams
from gotask.bus.subjects import Stream
from gotask.metrics.counting import EventCounter
from gotask.metrics.store import TallyStore
from gotask.service.settings import ServiceSettings
from tests.services.metrics.support import Counting, counting, events, publish
from tests.support.servers import Server, ServerProcess
from tests.support.waiting import wait_until

NEVER_S = 3600.0


@pytest.fixture
async def bus(nats: Server, namespace: str) -> AsyncIterator[Bus]:
    opened = await Bus.open(ServiceSettings.load(nats_url=nats.address, namespace=namespace), "test")
    yield opened
    await opened.close()


async def crash(counter: EventCounter) -> None:
    """Ends it as a kill does: nothing is stored, nothing is acknowledged."""
    await counter._puller.stop()
    for task in counter._tasks:
        task.cancel()


async def test_a_restart_goes_on_where_the_last_run_stopped(bus: Bus) -> None:
    async with counting(bus) as first:
        await publish(bus, events(jobs=3), events(jobs=2, type="other"))
        await wait_until(lambda: first.created == 5, "both batches are counted")
    await publish(bus, events(jobs=10))
    async with counting(bus) as second:
        await wait_until(lambda: second.created == 15, "what came meanwhile is counted, too")
        assert second.tally.totals.created == {("default", "echo"): 13, ("default", "other"): 2}
        hour = second.tally.windows["last_hour"].merged(second.clock.now_us() / 1e6)
        assert hour.created.total() == 15


async def test_a_start_waits_for_a_broker_that_is_being_restarted(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    async with counting(bus) as first:
        await publish(bus, events(jobs=3))
        await wait_until(lambda: first.created == 3, "they are counted")
    read = bus.js.get_last_msg
    failures = iter([NatsTimeout(), NatsTimeout()])

    async def fails_twice(stream: str, subject: str) -> object:
        for failure in failures:
            raise failure
        return await read(stream, subject)

    monkeypatch.setattr(bus.js, "get_last_msg", fails_twice)
    async with counting(bus) as second:
        assert second.created == 3


async def test_what_was_counted_and_not_stored_is_counted_by_the_next(bus: Bus) -> None:
    first = Counting(bus, NEVER_S)
    await first.counter.start()
    await publish(bus, events(jobs=3))
    await wait_until(lambda: first.created == 3, "it is counted")
    await crash(first.counter)
    # The broker would deliver it again after its time for acknowledgement; a consumer made anew does so at once.
    await bus.js.delete_consumer(bus.subjects.stream(Stream.EVENTS), "metrics")
    async with counting(bus) as second:
        await wait_until(lambda: second.created == 3, "it is counted again, from nothing")


async def test_what_was_stored_is_not_counted_again_although_it_is_delivered_again(bus: Bus) -> None:
    async with counting(bus) as first:
        for _ in range(5):
            await publish(bus, events(jobs=2))
        await wait_until(lambda: first.created == 10, "all are counted")
    await bus.js.delete_consumer(bus.subjects.stream(Stream.EVENTS), "metrics")
    async with counting(bus) as second:
        await publish(bus, events(jobs=1))
        await wait_until(lambda: second.created == 11, "only the new one is")


async def test_a_message_that_another_let_go_is_counted_although_later_ones_were(bus: Bus) -> None:
    stream = bus.subjects.stream(Stream.EVENTS)
    async with counting(bus):
        pass
    other = await bus.js.pull_subscribe_bind(consumer="metrics", stream=stream)
    for jobs in (1, 10, 100):
        await publish(bus, events(jobs=jobs))
    held: list[Msg] = await other.fetch(2, timeout=5)
    async with counting(bus) as running:
        await wait_until(lambda: running.created == 100, "the last is counted")
        assert running.counter._counted.ranges == [(0, 0), (3, 3)]
        for message in held:
            await message.nak()
        await wait_until(lambda: running.created == 111, "so are those before it")
        await wait_until(lambda: running.counter._counted.ranges == [(0, 3)], "no gap is left")


@pytest.mark.parametrize("save_every_s", [0.02, NEVER_S])
async def test_a_killed_broker_makes_no_event_count_twice(own_nats: ServerProcess, save_every_s: float) -> None:
    bus = await Bus.open(ServiceSettings.load(nats_url=own_nats.address), "test")
    async with counting(bus, save_every_s) as running:
        published = 0
        for _ in range(3):
            for _ in range(20):
                await asyncio.gather(*(publish(bus, events(jobs=1)) for _ in range(25)))
                published += 25
            await wait_until(lambda: running.created >= published, "they are counted")  # noqa: B023
            await asyncio.to_thread(own_nats.restart)
        await publish(bus, events(jobs=1))
        published += 1
        await wait_until(lambda: running.created >= published, "and the last one after the restarts")
        # Whatever the broker forgot to be acknowledged comes again when it is asked for.
        await wait_until(lambda: _all_delivered(bus), "nothing waits in the stream")
        assert running.created == published
    async with counting(bus) as again:
        await publish(bus, events(jobs=1))
        await wait_until(lambda: again.created == published + 1, "a restart agrees")
    await bus.close()


async def _all_delivered(bus: Bus) -> bool:
    try:
        info = await bus.js.consumer_info(bus.subjects.stream(Stream.EVENTS), "metrics", timeout=2)
    except (NatsTimeout, TimeoutError):
        return False
    return not info.num_pending


async def test_a_stream_that_begins_anew_is_counted_from_its_beginning(bus: Bus, namespace: str) -> None:
    settings = ServiceSettings.load(namespace=namespace)
    async with counting(bus) as first:
        await publish(bus, events(jobs=1))
        await publish(bus, events(jobs=1))
        await wait_until(lambda: first.created == 2, "both are counted")
    await bus.js.delete_stream(bus.subjects.stream(Stream.EVENTS))
    await ensure_streams(bus.js, bus.subjects, settings)
    await publish(bus, events(jobs=10))
    async with counting(bus) as second:
        await wait_until(lambda: second.created == 12, "its first message is counted although the number was")


async def test_the_last_to_come_counts_and_the_one_before_stops(bus: Bus) -> None:
    async with counting(bus) as first:
        await publish(bus, events(jobs=1))
        await wait_until(lambda: first.created == 1, "it is counted")
        async with counting(bus) as second:
            await publish(bus, events(jobs=1))
            await publish(bus, events(jobs=1))
            await wait_until(first.counter.taken_over.is_set, "the first notices")
            assert not second.counter.taken_over.is_set()


async def test_a_store_that_was_overtaken_refuses(bus: Bus) -> None:
    first, second = TallyStore(bus), TallyStore(bus)
    assert await first.take_over() == {}
    await first.save({"totals": 1})
    assert (await second.take_over())["totals"] == 1
    with pytest.raises(Exception, match="another metrics service"):
        await first.save({"totals": 2})
    await second.save({"totals": 3})
    assert (await TallyStore(bus).take_over())["totals"] == 3


async def test_what_is_no_event_is_rejected(bus: Bus) -> None:
    async with counting(bus) as running:
        await bus.js.publish(bus.subjects.event("default", events().kind), b"\xff\xff")
        await publish(bus, events(jobs=1))
        await wait_until(lambda: running.created == 1, "the next one is counted")
        rejected = await bus.js.stream_info(bus.subjects.stream(Stream.REJECTED))
        assert rejected.state.messages == 1
