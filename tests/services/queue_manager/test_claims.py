"""Claims of workers that are gone, and of a queue-manager that goes."""

import asyncio
import contextlib
from collections.abc import Sequence

import nats.errors as nats_errors
import pytest

from gotask import v1
from gotask.bus.bus import Bus
from gotask.service.settings import ServiceSettings
from gotask.storage.contract import Claims, Finish, Finished, Slot
from gotask.storage.memory import MemoryStorage
from tests.services.gateway.support import queue_manager
from tests.services.queue_manager.support import Desk, desk
from tests.support.servers import Server
from tests.support.waiting import wait_until


class Counting(MemoryStorage):
    """Counts calls of claim and finish, and holds them up while the gate is shut."""

    def __init__(self) -> None:
        super().__init__()
        self.claims = 0
        self.finishes = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def claim(self, slots: Sequence[Slot], now_us: int, lease_until_us: int) -> Claims:
        self.claims += 1
        given = await super().claim(slots, now_us, lease_until_us)
        await self.gate.wait()
        return given

    async def finish(self, outcomes: Sequence[Finish], now_us: int) -> list[Finished]:
        self.finishes += 1
        await self.gate.wait()
        return await super().finish(outcomes, now_us)


async def test_jobs_for_a_worker_that_was_killed_go_to_the_next_and_use_up_no_attempt(
    nats: Server, namespace: str
) -> None:
    storage = Counting()
    async with desk(nats.address, namespace, storage) as manager:
        killed = Desk(await Bus.open(ServiceSettings.load(nats_url=nats.address, namespace=namespace), "w"), storage)
        asked = asyncio.create_task(killed.ask("killed", capacity=3))
        await wait_until(lambda: storage.claims, "its claim is parked")
        await killed.bus.close()
        asked.cancel()
        other = asyncio.create_task(manager.ask("other"))
        job_id = await manager.submit()
        reply = await asyncio.wait_for(other, 5)
        assert (v1.JobSpec.FromString(reply.specs[0]).id, list(reply.attempts), list(reply.tries)) == (job_id, [2], [1])
        await manager.hears("returned", job_id)


async def test_a_queue_that_is_resumed_and_empty_costs_few_calls(nats: Server, namespace: str) -> None:
    storage = Counting()
    async with desk(nats.address, namespace, storage, claim_poll=60) as manager:
        asked = asyncio.create_task(manager.ask("w"))
        await wait_until(lambda: storage.claims, "its claim is parked")
        for _ in range(3):
            await manager.bus.command("resume_queue", v1.QueueName(name="default"), v1.Queue)
        await manager.submit()
        await asked
        assert storage.claims < 8


async def test_a_stopping_queue_manager_gives_out_what_it_is_claiming(nats: Server, namespace: str) -> None:
    storage = Counting()
    async with desk(nats.address, namespace, storage) as manager:
        job_id = await manager.insert()
        storage.gate.clear()
        asked = asyncio.create_task(manager.ask("w"))
        await wait_until(lambda: storage.claims, "the job is being claimed")
        asyncio.get_running_loop().call_later(0.2, storage.gate.set)
    reply = await asked
    assert v1.JobSpec.FromString(reply.specs[0]).id == job_id


async def test_a_stopping_queue_manager_leaves_claims_to_others(nats: Server, namespace: str) -> None:
    storage = Counting()
    bus = await Bus.open(ServiceSettings.load(nats_url=nats.address, namespace=namespace), "desk")
    manager = Desk(bus, storage)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(queue_manager(nats.address, namespace, storage))
        await manager.insert()
        claimed = await manager.claim()
        asked = asyncio.create_task(manager.ask("w"))
        await wait_until(lambda: storage.claims > 1, "its claim is parked")
        storage.gate.clear()
        await manager.report(claimed, v1.OUTCOME_SUCCESS)
        await wait_until(lambda: storage.finishes, "a result is being applied")
        stopping = asyncio.create_task(stack.aclose())
        assert not (await asked).specs
        with pytest.raises(nats_errors.NoRespondersError):
            await manager.ask("w")
        assert not stopping.done()
        storage.gate.set()
        await stopping
    await bus.close()
