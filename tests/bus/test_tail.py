"""The tail of a stream: in order, each once, whatever happens to the broker or to the tail's own consumer."""

import asyncio

import pytest

from gotask import v1
from gotask.bus import tail as tail_module
from gotask.bus.bus import Bus, Publication
from gotask.bus.subjects import Stream
from gotask.bus.tail import Tail
from gotask.service.settings import ServiceSettings
from tests.support.servers import ServerProcess
from tests.support.waiting import wait_until

KIND = v1.EVENT_KIND_CREATED


async def publish(bus: Bus, *texts: str, queue: str = "q") -> None:
    for text in texts:
        publication = Publication(bus.subjects.event(queue, KIND), text.encode(), f"{queue}:{text}")
        await bus.publish_durable(publication, deadline_s=20)


async def read(tail: Tail, count: int) -> list[str]:
    found: list[str] = []
    while len(found) < count:
        found += [message.data.decode() for message in await asyncio.wait_for(tail.next_batch(), 30)]
    return found


def tail_of(bus: Bus, after: int | None = None, queue: str = "*") -> Tail:
    return Tail(bus, bus.subjects.stream(Stream.EVENTS), [bus.subjects.event(queue, KIND)], after)


async def test_from_now_on_or_from_some_place(bus: Bus) -> None:
    await publish(bus, "a", "b")
    async with tail_of(bus) as now, tail_of(bus, after=1) as later, tail_of(bus, after=0) as whole:
        assert (now.last, later.last, whole.last) == (2, 1, 0)
        await publish(bus, "c")
        assert await read(now, 1) == ["c"]
        assert await read(later, 2) == ["b", "c"]
        assert await read(whole, 3) == ["a", "b", "c"]
        assert whole.last == 3
        assert not whole.missed()


async def test_only_what_was_asked_for(bus: Bus) -> None:
    async with tail_of(bus, queue="mine") as tail:
        await publish(bus, "x", queue="others")
        await publish(bus, "a", queue="mine")
        assert await read(tail, 1) == ["a"]


async def test_stopping_ends_the_wait_and_leaves_no_consumer(bus: Bus) -> None:
    async with tail_of(bus) as tail:
        waiting = asyncio.create_task(tail.next_batch())
        await asyncio.sleep(0)
        tail.stop()
        assert await asyncio.wait_for(waiting, 5) == []
    assert await bus.js.consumers_info(bus.subjects.stream(Stream.EVENTS)) == []
    assert bus._on_reconnect == []


async def test_what_is_gone_is_told_of_once(bus: Bus) -> None:
    await publish(bus, "a", "b", "c")
    await bus.js.purge_stream(bus.subjects.stream(Stream.EVENTS), seq=3)
    async with tail_of(bus, after=1) as tail:
        assert (tail.missed(), tail.missed()) == (True, False)
        assert await read(tail, 1) == ["c"]


async def test_a_place_in_a_stream_that_was_replaced_is_the_beginning_of_the_new_one(bus: Bus) -> None:
    await publish(bus, "a")
    async with tail_of(bus, after=70) as tail:
        assert tail.missed()
        assert await read(tail, 1) == ["a"]


async def test_a_consumer_that_is_lost_is_replaced(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_module, "_QUIET_S", 0.2)
    stream = bus.subjects.stream(Stream.EVENTS)
    async with tail_of(bus) as tail:
        await publish(bus, "a")
        assert await read(tail, 1) == ["a"]
        (consumer,) = await bus.js.consumers_info(stream)
        await bus.js.delete_consumer(stream, consumer.name)
        await publish(bus, "b", "c")
        assert await read(tail, 2) == ["b", "c"]


async def test_a_broker_that_is_killed_costs_nothing(own_nats: ServerProcess, namespace: str) -> None:
    bus = await Bus.open(ServiceSettings.load(nats_url=own_nats.address, namespace=namespace), "test")
    texts = [str(number) for number in range(40)]
    async with tail_of(bus) as tail:
        reading = asyncio.create_task(read(tail, len(texts)))
        for index in range(0, len(texts), 10):
            await publish(bus, *texts[index : index + 10])
            if index in (10, 20):
                own_nats.kill()
                own_nats.start()
                await wait_until(lambda: bus.connected, "it is connected again")
        assert await reading == texts
    await bus.close()
