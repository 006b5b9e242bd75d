"""A backup of the streams, taken and put back by the user who may do that: what waited goes on where it stood."""

import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from nats.aio.msg import Msg

from gotask.bus.bus import Bus, Publication
from gotask.bus.consumer import BatchConsumer, Received
from gotask.bus.subjects import Stream, Subjects
from gotask.embedded import free_port, nats_server
from gotask.service.settings import ServiceSettings
from tests.cluster.brokers import CONFIGURATION, USERS, password_of, variable
from tests.cluster.snapshots import backup, restore
from tests.support.servers import ServerProcess
from tests.support.waiting import wait_until

_STREAMS = [
    Subjects("gotask").stream(stream) for stream in (Stream.SUBMIT, Stream.RESULTS, Stream.DUE, Stream.REJECTED)
]


@contextmanager
def running_broker(data: Path) -> Iterator[str]:
    """A single server that knows the users of deploy/nats; its address."""
    command = nats_server(data, free_port())
    shutil.copy(CONFIGURATION.with_name("accounts.conf"), data)
    with (data / "nats.conf").open("a") as config:
        config.write("include accounts.conf\n")
    passwords = {variable(user): f'"{password_of(user)}"' for user in USERS}
    server = ServerProcess(replace(command, environment=passwords))
    try:
        server.start()
        yield server.address
    finally:
        server.kill()


@asynccontextmanager
async def connected(address: str, user: str) -> AsyncIterator[Bus]:
    settings = ServiceSettings.load(
        nats_url=address, nats_user=user, nats_password=password_of(user), nats_inbox_prefix=f"_INBOX.{user}"
    )
    is_owner = user == "queue-manager"
    bus = await (Bus.open(settings, user) if is_owner else Bus.connect(settings, "gotask", user, 20))
    try:
        yield bus
    finally:
        await bus.close()


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """One that works, and one whose disk is empty."""
    folder = tmp_path_factory.mktemp("brokers")
    with running_broker(folder / "old") as old, running_broker(folder / "new") as new:
        yield old, new


async def take_in(bus: Bus, wanted: int) -> list[str]:
    """Reads and acknowledges that many submissions, as the queue-manager does."""
    taken: list[str] = []

    async def apply(batch: list[Received[str]]) -> Sequence[Publication]:
        taken.extend(received.item for received in batch)
        return []

    reader = BatchConsumer(bus, Stream.SUBMIT, "queue-manager", decode=_text, apply=apply)
    await reader.start()
    try:
        await wait_until(lambda: len(taken) >= wanted, f"{wanted} messages are read")
        await wait_until(lambda: is_empty(bus), "all are acknowledged")
    finally:
        await reader.stop()
    return taken


def _text(message: Msg) -> str:
    return message.data.decode()


async def is_empty(bus: Bus) -> bool:
    return not (await bus.js.stream_info(bus.subjects.stream(Stream.SUBMIT))).state.messages


async def submit(bus: Bus, *texts: str) -> None:
    for text in texts:
        await bus.publish_durable(Publication("gotask.v1.submit.default", text.encode(), text), deadline_s=20)


async def test_streams_come_back_from_their_snapshots(brokers: tuple[str, str]) -> None:
    old, new = brokers
    async with connected(old, "queue-manager") as owner, connected(old, "client") as client:
        await submit(client, "a", "b")
        assert await take_in(owner, 2) == ["a", "b"]
        await submit(client, "c", "d", "e")
    async with connected(old, "backup") as bus:
        snapshots = [await backup(bus.client, stream) for stream in _STREAMS]

    async with connected(new, "backup") as bus:
        for snapshot in snapshots:
            await restore(bus.client, snapshot)
        with pytest.raises(AssertionError, match="already in use"):
            await restore(bus.client, snapshots[0])
    async with connected(new, "queue-manager") as owner, connected(new, "client") as client:
        assert await take_in(owner, 3) == ["c", "d", "e"]
        await submit(client, "f")
        assert await take_in(owner, 1) == ["f"]
        for snapshot in snapshots:
            assert (await owner.js.stream_info(snapshot.stream)).config.subjects == snapshot.config["subjects"]
