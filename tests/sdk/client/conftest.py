"""A client, once for each way to GoTask, with a queue-manager behind it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from gotask.bus.bus import Bus
from gotask.embedded import free_port
from gotask.sdk import App, Client
from gotask.service.clock import SystemClock
from gotask.storage.contract import Storage
from gotask.storage.memory import MemoryStorage
from gotask.worker.service import WorkerService
from gotask.worker.settings import WorkerSettings
from tests.services.gateway.support import gateway, queue_manager, running
from tests.support.servers import Server


@dataclass
class Place:
    """Where a client finds GoTask; *way* is "nats" or "grpc"."""

    way: str
    url: str
    nats_url: str
    namespace: str
    storage: Storage
    start_worker: Callable[[App], Awaitable[WorkerService]]
    bus: Bus


@pytest.fixture(params=["nats", "grpc"])
async def place(request: pytest.FixtureRequest, nats: Server, namespace: str) -> AsyncIterator[Place]:
    """A queue-manager, and for gRPC a gateway, on memory storage; the test starts its own worker."""
    storage = MemoryStorage()
    await storage.open()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(queue_manager(nats.address, namespace, storage))
        settings = WorkerSettings.load(
            nats_url=nats.address, namespace=namespace, heartbeat=0.2, concurrency=4, grace=1.0, claim_wait=2.0
        )

        async def start_worker(app: App) -> WorkerService:
            bus = await Bus.open(settings, "worker")
            worker = WorkerService(settings, bus, app, SystemClock())
            await stack.enter_async_context(running(bus, lambda: worker))
            return worker

        bus = await Bus.open(settings, "test")
        stack.push_async_callback(bus.close)
        url = nats.address
        if request.param == "grpc":
            port = free_port()
            await stack.enter_async_context(gateway(nats.address, namespace, storage, grpc_port=port))
            url = f"grpc://127.0.0.1:{port}"
        yield Place(request.param, url, nats.address, namespace, storage, start_worker, bus)


@pytest.fixture
async def client(place: Place) -> AsyncIterator[Client]:
    """A client, over NATS and over gRPC."""
    async with Client(place.url, namespace=place.namespace) as opened:
        yield opened
