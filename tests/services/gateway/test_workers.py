"""GET /workers, and taking a worker out of service and back."""

import contextlib
from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio

from gotask import v1
from gotask.bus.bus import Bus
from gotask.gateway.rest.schemas import Worker, WorkerList
from gotask.sdk import App
from gotask.service.clock import SystemClock
from gotask.storage.memory import MemoryStorage
from gotask.worker.service import WorkerService
from gotask.worker.settings import WorkerSettings
from tests.services.gateway.grpc_support import refused, workers
from tests.services.gateway.support import API, Door, gateway, problem, queue_manager, running
from tests.support.servers import Server
from tests.support.waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@contextlib.asynccontextmanager
async def worker(nats: Server, worker_id: str) -> AsyncIterator[None]:
    """Serves the queue of its name, and knows the type echo."""
    settings = WorkerSettings.load(
        nats_url=nats.address, namespace="drained", worker_id=worker_id, queues=worker_id, heartbeat=0.2
    )
    app = App()

    @app.job("echo")
    async def echo(text: str) -> str:
        return text

    bus = await Bus.open(settings, "worker")
    async with running(bus, lambda: WorkerService(settings, bus, app, SystemClock())):
        yield


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(nats: Server) -> AsyncIterator[Door]:
    """With a worker called w1."""
    storage = MemoryStorage()
    async with (
        queue_manager(nats.address, "drained", storage),
        worker(nats, "w1"),
        gateway(nats.address, "drained", storage, command_timeout=0.5) as opened,
    ):
        yield opened


async def listed(door: Door) -> dict[str, Worker]:
    answer = await door.http.get(f"{API}/workers")
    return {each.id: each for each in WorkerList.model_validate_json(answer.content).items}


async def drains(door: Door) -> bool:
    return (await listed(door))["w1"].draining


async def test_a_worker_is_listed_drained_and_taken_back(door: Door) -> None:
    await wait_until(lambda: listed(door), "the worker is heard of")
    told = Worker.model_validate_json((await door.http.post(f"{API}/workers/w1/drain")).content)
    assert (told.id, told.types, told.queues, told.draining, told.runs) == ("w1", ["echo"], ["w1"], True, [])
    await wait_until(lambda: drains(door), "its heartbeat says so")
    job = await door.submit(queue="w1", payload={"text": "a"})
    assert (await door.job(job["id"]))["status"] == "pending"
    assert not (await workers(door.channel).ResumeWorker(v1.WorkerName(id="w1"))).draining
    done = await door.http.get(f"{API}/jobs/{job['id']}?wait=20s")
    assert (done.json()["status"], done.json()["result"]) == ("success", "a")
    assert (await workers(door.channel).DrainWorker(v1.WorkerName(id="w1"))).draining
    await wait_until(lambda: drains(door), "its heartbeat says so again")
    resumed = await door.http.post(f"{API}/workers/w1/resume")
    assert not Worker.model_validate_json(resumed.content).draining


async def test_a_worker_that_was_never_heard_of(door: Door) -> None:
    for verb in ("drain", "resume"):
        problem(await door.http.post(f"{API}/workers/nobody/{verb}"), 404)
    with refused(grpc.StatusCode.NOT_FOUND):
        await workers(door.channel).DrainWorker(v1.WorkerName(id="nobody"))


async def test_a_worker_that_does_not_answer(door: Door) -> None:
    deaf = v1.WorkerInfo(id="deaf", queues=["default"])
    await door.storage.put_workers([deaf], SystemClock().now_us() + 60_000_000)
    told = problem(await door.http.post(f"{API}/workers/deaf/drain"), 503)
    assert "worker 'deaf' does not answer" in told.detail
