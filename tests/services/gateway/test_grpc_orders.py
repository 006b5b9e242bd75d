"""Drain and resume of workers that come over gRPC: the gateways hear the orders in their place."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gotask import v1
from gotask.gateway.rest.schemas import Worker
from gotask.storage.memory import MemoryStorage
from tests.services.gateway.grpc_support import jobs, new_job, workers
from tests.services.gateway.support import API, Door, gateway, queue_manager
from tests.support.servers import Server

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def doors(nats: Server) -> AsyncIterator[tuple[Door, Door]]:
    """Two gateways of one fleet."""
    storage = MemoryStorage()
    async with (
        queue_manager(nats.address, "orders", storage),
        gateway(nats.address, "orders", storage) as one,
        gateway(nats.address, "orders", storage) as other,
    ):
        yield one, other


async def beat(door: Door, name: str, *, draining: bool = False, started_at_us: int = 1) -> v1.HeartbeatReply:
    """A heartbeat of a worker that serves the queue of its name."""
    told = v1.WorkerInfo(id=name, queues=[name], draining=draining, started_at_us=started_at_us)
    return await workers(door.channel).Heartbeat(v1.Heartbeat(worker=told))


def told(reply: v1.HeartbeatReply) -> bool | None:
    return reply.drain if reply.HasField("drain") else None


async def claim(door: Door, name: str, wait_s: float) -> list[str]:
    """Payloads of what it got."""
    request = v1.ClaimRequest(worker=name, queues=[name], capacity=5, wait_us=round(wait_s * 1e6))
    return [spec.payload.decode() async for part in workers(door.channel).Claim(request) for spec in part.specs]


async def submit(door: Door, name: str) -> None:
    await jobs(door.channel).SubmitJob(new_job(queue=name, payload=b'"job"'))


async def test_it_hears_of_a_drain_and_gets_no_jobs(doors: tuple[Door, Door]) -> None:
    door, other = doors
    assert told(await beat(door, "w1")) is None
    answer = await door.http.post(f"{API}/workers/w1/drain")
    drained = Worker.model_validate_json(answer.content)
    assert (drained.id, drained.queues, drained.draining) == ("w1", ["w1"], True)
    await submit(door, "w1")
    for each in doors:
        assert await claim(each, "w1", 0) == []
    assert told(await beat(door, "w1")) is True
    assert told(await beat(other, "w1")) is True
    listed = (await door.http.get(f"{API}/workers")).json()["items"]
    assert [worker["draining"] for worker in listed if worker["id"] == "w1"] == [True]
    assert told(await beat(door, "w1", draining=True)) is None
    assert await claim(door, "w1", 0) == []

    resumed = await workers(other.channel).ResumeWorker(v1.WorkerName(id="w1"))
    assert (resumed.id, resumed.draining) == ("w1", False)
    assert told(await beat(door, "w1", draining=True)) is False
    assert told(await beat(door, "w1")) is None
    assert await claim(door, "w1", 20) == ['"job"']


async def test_an_open_claim_is_withdrawn_by_a_drain(doors: tuple[Door, Door]) -> None:
    door, _ = doors
    await beat(door, "w2")
    asked = await door.bus.client.subscribe(door.bus.subjects.claim)
    async with asyncio.timeout(30):
        claiming = asyncio.create_task(claim(door, "w2", 60))
        while v1.ClaimRequest.FromString((await asked.next_msg(30)).data).worker != "w2":
            pass
        await asked.unsubscribe()
        assert (await workers(door.channel).DrainWorker(v1.WorkerName(id="w2"))).draining
        assert await claiming == []


async def test_a_withheld_claim_is_answered_when_the_worker_is_to_resume(doors: tuple[Door, Door]) -> None:
    door, _ = doors
    service, name = workers(door.channel), v1.WorkerName(id="w4")
    await beat(door, "w4")
    await service.DrainWorker(name)
    async with asyncio.timeout(30):
        claiming = asyncio.create_task(claim(door, "w4", 60))
        while not claiming.done():
            # Again, should the claim not have come before.
            await service.ResumeWorker(name)
            await service.DrainWorker(name)
        assert await claiming == []


async def test_a_worker_that_is_started_anew_drains_no_more(doors: tuple[Door, Door]) -> None:
    door, _ = doors
    await beat(door, "w3", started_at_us=1)
    await workers(door.channel).DrainWorker(v1.WorkerName(id="w3"))
    assert told(await beat(door, "w3", started_at_us=1)) is True
    claiming = asyncio.create_task(claim(door, "w3", 60))
    assert told(await beat(door, "w3", started_at_us=2)) is None
    await submit(door, "w3")
    async with asyncio.timeout(30):
        assert (await claiming or await claim(door, "w3", 20)) == ['"job"']
