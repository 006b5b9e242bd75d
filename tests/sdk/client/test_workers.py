"""Workers, over every way."""

import asyncio
from collections.abc import Sequence

import pytest

from gotask import v1
from gotask.bus.errors import Code, CommandError
from gotask.sdk import App, Client, SyncClient
from gotask.sdk.client.worker import Worker
from gotask.sdk.errors import NotFound, Refused, Unavailable
from gotask.service.clock import SystemClock
from tests.sdk.client.conftest import Place
from tests.support.waiting import wait_until, wait_until_blocking

app = App()


@app.job("echo")
async def echo(text: str) -> str:
    return text


async def the_one(client: Client) -> Worker:
    """The only worker, once it was heard of."""
    workers: Sequence[Worker] = await wait_until(client.workers.list, "the worker is heard of")
    assert len(workers) == 1
    return workers[0]


async def shown_draining(client: Client, worker_id: str) -> bool:
    return (await client.workers.get(worker_id)).draining


async def test_workers_are_listed(client: Client, place: Place) -> None:
    assert await client.workers.list() == []
    await place.start_worker(app)
    worker = await the_one(client)
    assert (worker.types, worker.queues, worker.concurrency) == (("echo",), ("default",), 4)
    assert (await client.workers.get(worker.id)).id == worker.id
    assert (await client.queues.stats("default")).workers == 1


async def test_a_worker_is_drained_and_taken_back(client: Client, place: Place) -> None:
    await place.start_worker(app)
    worker = await the_one(client)
    drained = await client.workers.drain(worker.id)
    assert (drained.id, drained.draining, drained.running) == (worker.id, True, 0)
    waiting = await client.submit(echo.job(text="later"))
    await wait_until(lambda: shown_draining(client, worker.id), "the list shows it")
    assert (await waiting.get()).status == "pending"
    assert not (await client.workers.resume(worker.id)).draining
    assert await waiting.result(timeout="20s") == "later"


async def test_code_without_an_event_loop_drains_a_worker(place: Place) -> None:
    await place.start_worker(app)

    def use() -> None:
        with SyncClient(place.url, namespace=place.namespace) as client:
            (worker,) = wait_until_blocking(client.workers.list, "the worker is heard of")
            assert client.workers.drain(worker.id).draining
            wait_until_blocking(lambda: client.workers.get(worker.id).draining, "the list shows it")
            assert not client.workers.resume(worker.id).draining

    await asyncio.to_thread(use)


async def test_a_worker_that_was_never_heard_of(client: Client) -> None:
    for call in (client.workers.get, client.workers.drain, client.workers.resume):
        with pytest.raises(NotFound, match="id: no worker 'nobody' was heard of lately"):
            await call("nobody")


async def test_a_worker_that_stops_is_not_taken_back(client: Client, place: Place) -> None:
    async def refuse(_: bytes) -> v1.WorkerInfo:
        raise CommandError(Code.FAILED_PRECONDITION, "worker 'w' is stopping", "id")

    await place.storage.put_workers([v1.WorkerInfo(id="w", queues=["default"])], SystemClock().now_us() + 60_000_000)
    await place.bus.serve(place.bus.subjects.resume("w"), "", refuse)
    with pytest.raises(Refused, match="id: worker 'w' is stopping"):
        await client.workers.resume("w")


async def test_a_worker_that_does_not_answer(place: Place) -> None:
    deaf = v1.WorkerInfo(id="deaf", queues=["default"])
    await place.storage.put_workers([deaf], SystemClock().now_us() + 60_000_000)
    async with Client(place.url, namespace=place.namespace, timeout="3s") as client:
        with pytest.raises(Unavailable, match="answer"):
            await client.workers.drain("deaf")
