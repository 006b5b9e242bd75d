"""One broker, and PostgreSQL with a standby: each loses its machine, and nothing that was accepted is lost."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import nats
import pytest

from gotask.embedded import free_port, nats_server
from gotask.storage.postgres import PostgresAddress, PostgresStorage
from tests.cluster.fleet import Services, running_services
from tests.cluster.load import Load, check_all_ended, ended, flows
from tests.cluster.postgres import Pair, running_pair
from tests.support.servers import ServerProcess, running
from tests.support.stack import http
from tests.support.waiting import wait_until

_SUBMITTED = 100


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with running(nats_server(tmp_path_factory.mktemp("broker"), free_port())) as server:
        yield server


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with running_pair() as both:
        yield both


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory, broker: ServerProcess, pair: Pair) -> Iterator[Services]:
    settings = {"GOTASK_STORAGE": "postgres", "GOTASK_POSTGRES_DSN": pair.address}
    folder = tmp_path_factory.mktemp("services")
    with running_services(folder, lambda _: {"nats_url": broker.address}, settings) as started:
        yield started


@pytest.fixture
async def storage(pair: Pair) -> AsyncIterator[PostgresStorage]:
    opened = PostgresStorage(PostgresAddress(pair.address), "gotask")
    yield opened
    await opened.close()


async def test_the_standby_takes_over(services: Services, storage: PostgresStorage, pair: Pair) -> None:
    load = Load(services)
    with load.coming():
        await flows(load, storage)
        await asyncio.to_thread(pair.primary.kill)
        await asyncio.to_thread(pair.promote)
        await flows(load, storage)
    await check_all_ended(load, storage, services)


async def test_a_copy_of_the_brokers_folder_is_a_backup(
    services: Services, storage: PostgresStorage, broker: ServerProcess, tmp_path: Path
) -> None:
    """Taken while jobs waited there; put back when they waited still, and again when all of them had run."""
    live, backup = Path(broker.command.data) / "jetstream", tmp_path / "backup"
    load = Load(services)
    services.running["queue-manager"].kill()
    jobs = [{"type": "record"} for _ in range(_SUBMITTED)]
    status, body = await asyncio.to_thread(http, "POST", f"{services.url}/jobs/batch", {"jobs": jobs})
    assert (status, {item["status"] for item in body["items"]}) == (200, {202}), body
    load.accepted += [item["job"]["id"] for item in body["items"]]
    broker.kill()
    shutil.copytree(live, backup)

    await _restored(broker, live, backup)
    assert await _waiting(broker) > 0
    services.running["queue-manager"].start()
    await ended(storage, load.accepted)
    before = services.runs.read_text()

    broker.kill()
    await _restored(broker, live, backup)
    await wait_until(lambda: _is_empty(broker), "what was submitted is taken in once more")
    assert services.runs.read_text() == before
    with load.coming():
        await flows(load, storage)
    await check_all_ended(load, storage, services)
    assert not set(load.accepted[:_SUBMITTED]) & set(services.runs.read_text().removeprefix(before).split())


async def _restored(broker: ServerProcess, live: Path, backup: Path) -> None:
    """The broker runs again, with an empty disk and what was in the backup."""
    shutil.rmtree(live)
    shutil.copytree(backup, live)
    await asyncio.to_thread(broker.start)


async def _is_empty(broker: ServerProcess) -> bool:
    return await _waiting(broker) == 0


async def _waiting(broker: ServerProcess) -> int:
    """How many messages wait to be taken in."""
    client = await nats.connect(broker.address)
    try:
        info = await client.jetstream().stream_info("gotask_SUBMIT")
    finally:
        await client.close()
    return info.state.messages
