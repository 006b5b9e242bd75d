"""Streams and consumers that vanish while somebody works with them come back by themselves."""

from collections.abc import AsyncIterator, Sequence

import pytest
from nats.aio.msg import Msg

from gotask.bus.bus import Bus, Publication
from gotask.bus.consumer import BatchConsumer, Received
from gotask.bus.subjects import Stream
from gotask.service.settings import ServiceSettings
from tests.support.servers import Server
from tests.support.waiting import wait_until


class Reader:
    """Consumes the DUE stream and publishes nothing."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.texts: list[str] = []
        self.causes: set[str] = set()
        self.consumer = BatchConsumer(bus, Stream.DUE, "reader", decode=_text, apply=self._apply)

    async def _apply(self, batch: list[Received[str]]) -> Sequence[Publication]:
        self.texts += [received.item for received in batch]
        self.causes |= {received.cause for received in batch}
        return []

    async def reads(self, text: str) -> None:
        await self.bus.publish_durable(Publication(self.bus.subjects.due, text.encode(), text), deadline_s=20)
        await wait_until(lambda: text in self.texts, f"{text!r} is read", 20)
        await wait_until(self._empty, f"{text!r} is acknowledged", 20)

    async def _empty(self) -> bool:
        info = await self.bus.js.stream_info(self.bus.subjects.stream(Stream.DUE))
        return not info.state.messages


def _text(message: Msg) -> str:
    return message.data.decode()


@pytest.fixture
async def reader(nats: Server, namespace: str) -> AsyncIterator[Reader]:
    bus = await Bus.open(ServiceSettings.load(nats_url=nats.address, namespace=namespace), "test")
    reader = Reader(bus)
    await reader.consumer.start()
    try:
        yield reader
    finally:
        await reader.consumer.stop()
        await bus.close()


async def test_a_consumer_that_vanishes_is_made_anew(reader: Reader) -> None:
    await reader.reads("before")
    await reader.bus.js.delete_consumer(reader.bus.subjects.stream(Stream.DUE), "reader")
    await reader.reads("after")
    assert reader.texts == ["before", "after"]


async def test_a_stream_that_vanishes_is_made_anew_and_its_numbers_are_not_mistaken(reader: Reader) -> None:
    await reader.reads("before")
    await reader.bus.js.delete_stream(reader.bus.subjects.stream(Stream.DUE))
    await reader.reads("after")
    assert len(reader.causes) == 2


async def test_all_that_vanishes_together_comes_back_as_it_was(reader: Reader) -> None:
    names = [reader.bus.subjects.stream(stream) for stream in Stream]
    before = [(await reader.bus.js.stream_info(name)).config for name in names]
    for name in names:
        await reader.bus.js.delete_stream(name)
    await reader.reads("after")
    assert [(await reader.bus.js.stream_info(name)).config for name in names] == before


async def test_a_stream_that_only_publishers_use_comes_back_with_the_next_message(reader: Reader) -> None:
    subjects = reader.bus.subjects
    await reader.bus.js.delete_stream(subjects.stream(Stream.REJECTED))
    await reader.bus.publish_durable(Publication(subjects.rejected("invalid"), b"x", "x"), deadline_s=20)
    assert (await reader.bus.js.stream_info(subjects.stream(Stream.REJECTED))).state.messages == 1
