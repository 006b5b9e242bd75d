"""The batch consumer: in order, together, acknowledged last; poison is set aside; a broker may die."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from nats.aio.msg import Msg

from gotask import v1
from gotask.bus.bus import Bus, Publication
from gotask.bus.consumer import BatchConsumer, Received, Undecodable
from gotask.bus.subjects import Stream
from tests.support.servers import ServerProcess
from tests.support.waiting import wait_until


class Away(Exception):
    """What the test's storage raises when it is away."""


class Log:
    """Applies messages by writing them down; can be told to fail."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.batches: list[list[str]] = []
        self.replayed: list[str] = []
        self.away = 0
        self.poison = ""
        self.seen: Counter[str] = Counter()

    @property
    def applied(self) -> list[str]:
        return [item for batch in self.batches for item in batch]

    async def apply(self, batch: list[Received[str]]) -> Sequence[Publication]:
        self.seen.update(received.item for received in batch)
        if self.away:
            self.away -= 1
            raise Away("not now")
        if any(received.item == self.poison for received in batch):
            raise RuntimeError("cannot digest")
        self.replayed += [received.item for received in batch if received.redelivered]
        self.batches.append([received.item for received in batch])
        return [
            Publication(self.bus.subjects.event("q", v1.EVENT_KIND_CREATED), received.item.encode(), received.cause)
            for received in batch
        ]


def decode(message: Msg) -> str:
    if message.data == b"\xff":
        raise Undecodable("not text")
    return message.data.decode()


def consumer_of(log: Log) -> BatchConsumer[str]:
    return BatchConsumer(log.bus, Stream.DUE, "test", decode=decode, apply=log.apply, transient=(Away,))


async def publish(bus: Bus, *texts: str) -> None:
    for text in texts:
        await bus.publish_durable(Publication(bus.subjects.due, text.encode(), f"id:{text}"))


async def left_in(bus: Bus, stream: Stream) -> int:
    state = (await bus.js.stream_info(bus.subjects.stream(stream))).state
    return state.messages


async def test_messages_are_applied_in_order_and_acknowledged(bus: Bus) -> None:
    log = Log(bus)
    texts = [str(number) for number in range(50)]
    await publish(bus, *texts)
    consumer = consumer_of(log)
    await consumer.start()
    await wait_until(lambda: len(log.applied) == 50, "all are applied")
    assert log.applied == texts
    assert len(log.batches) < 50
    await consumer.stop()
    assert await left_in(bus, Stream.DUE) == 0
    assert await left_in(bus, Stream.EVENTS) == 50


async def test_a_storage_that_is_away_is_waited_for_and_the_batch_counts_as_replayed(bus: Bus) -> None:
    log = Log(bus)
    log.away = 2
    consumer = consumer_of(log)
    await consumer.start()
    await publish(bus, "a")
    await wait_until(lambda: log.applied == ["a"], "it is applied")
    assert (log.seen["a"], log.replayed) == (3, ["a"])
    await consumer.stop()


async def test_what_cannot_be_decoded_is_set_aside_with_the_reason(bus: Bus) -> None:
    log = Log(bus)
    consumer = consumer_of(log)
    await consumer.start()
    await bus.publish_durable(Publication(bus.subjects.due, b"\xff", "bad"))
    await publish(bus, "good")
    await wait_until(lambda: log.applied == ["good"], "the good one is applied")
    stream = bus.subjects.stream(Stream.REJECTED)
    await wait_until(lambda: _count(bus, Stream.REJECTED), "the bad one is rejected")
    stored = await bus.js.get_msg(stream, seq=1)
    rejected = v1.Rejected.FromString(stored.data or b"")
    assert (rejected.data, rejected.reason, rejected.subject) == (b"\xff", "not text", bus.subjects.due)
    await consumer.stop()
    await wait_until(lambda: _all_acknowledged(bus), "the bad one is gone")


async def _count(bus: Bus, stream: Stream) -> int:
    return await left_in(bus, stream)


async def test_poison_is_set_aside_after_several_tries_and_stops_nobody(bus: Bus) -> None:
    log = Log(bus)
    log.poison = "poison"
    await publish(bus, "a", "poison", "b")
    consumer = consumer_of(log)
    await consumer.start()
    await wait_until(lambda: _count(bus, Stream.REJECTED), "the poison is rejected", 60)
    assert sorted(log.applied) == ["a", "b"]
    assert log.seen["poison"] >= 5
    await consumer.stop()
    await wait_until(lambda: _all_acknowledged(bus), "the poison is gone")


async def test_a_killed_broker_loses_and_stops_nothing(own_nats: ServerProcess, own_bus: Bus) -> None:
    log = Log(own_bus)
    consumer = consumer_of(log)
    await consumer.start()
    texts = [str(number) for number in range(300)]

    async def publish_all() -> None:
        for text in texts:
            await own_bus.publish_durable(Publication(own_bus.subjects.due, text.encode(), text), deadline_s=30)

    publishing = asyncio.create_task(publish_all())
    await wait_until(lambda: len(log.applied) >= 50, "50 are applied")
    await asyncio.to_thread(own_nats.restart)
    await wait_until(lambda: len(log.applied) >= 150, "150 are applied")
    await asyncio.to_thread(own_nats.restart)
    await publishing
    await wait_until(lambda: set(log.applied) == set(texts), "all are applied")
    await wait_until(lambda: _all_acknowledged(own_bus), "all are acknowledged", 60)
    await consumer.stop()
    assert await left_in(own_bus, Stream.EVENTS) == len(texts)


async def _all_acknowledged(bus: Bus) -> bool:
    return await left_in(bus, Stream.DUE) == 0
