"""The metrics service behind its pages, and behind a gateway's."""

import contextlib
from collections.abc import AsyncIterator

import httpx
import pytest

from gotask import v1
from gotask.bus.bus import Bus
from gotask.embedded import free_port
from gotask.jobs.request import default_queue
from gotask.metrics.service import MetricsService
from gotask.metrics.settings import MetricsSettings
from gotask.service.clock import SystemClock
from gotask.storage.contract import Storage
from gotask.storage.memory import MemoryStorage
from tests.services.gateway.support import Door, gateway, problem, running
from tests.services.metrics.support import events, publish
from tests.support.servers import Server
from tests.support.waiting import wait_until


@pytest.fixture
async def storage() -> AsyncIterator[Storage]:
    """With one queue, in which one job is running, and two workers."""
    backend = MemoryStorage()
    await backend.open()
    now_us = SystemClock().now_us()
    await backend.create_queue(default_queue("default", now_us))
    for name, draining in (("w1", False), ("w2", True)):
        worker = v1.WorkerInfo(id=name, queues=["default"], concurrency=4, running=1, draining=draining)
        await backend.put_workers([worker], now_us + 60_000_000)
    yield backend
    await backend.close()


@contextlib.asynccontextmanager
async def metrics(nats: Server, namespace: str, storage: Storage) -> AsyncIterator[httpx.AsyncClient]:
    settings = MetricsSettings.load(nats_url=nats.address, namespace=namespace, metrics_port=free_port())
    bus = await Bus.open(settings, "metrics")
    async with (
        running(bus, lambda: MetricsService(settings, bus, storage, SystemClock())),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.metrics_port}") as http,
    ):
        yield http


@pytest.fixture
async def door(nats: Server, namespace: str, storage: Storage) -> AsyncIterator[Door]:
    async with gateway(nats.address, namespace, storage, command_timeout="1s") as opened:
        yield opened


async def test_the_gateway_shows_what_the_metrics_service_shows(
    nats: Server, namespace: str, storage: Storage, door: Door
) -> None:
    async with metrics(nats, namespace, storage) as http:
        await publish(door.bus, events(jobs=3))
        counted = 'taskqueue_jobs_created_total{queue="default",type="echo"} 3.0'

        async def is_counted() -> bool:
            return counted in (await http.get("/metrics")).text

        await wait_until(is_counted, "the events are counted")
        page = await door.http.get("/metrics")
        assert page.status_code == 200
        assert page.headers["content-type"] == (await http.get("/metrics")).headers["content-type"]
        for line in (
            counted,
            'taskqueue_queue_length{queue="default",state="pending"} 0.0',
            'taskqueue_queue_paused{queue="default"} 0.0',
            'taskqueue_queue_workers{queue="default"} 2.0',
            'taskqueue_queue_oldest_pending_seconds{queue="default"} 0.0',
            'taskqueue_workers_active{worker_id="w1"} 1.0',
            'taskqueue_worker_draining{worker_id="w2"} 1.0',
            'taskqueue_worker_slots{worker_id="w1"} 4.0',
            'taskqueue_worker_running{worker_id="w1"} 1.0',
        ):
            assert f"{line}\n" in page.text
        figures = (await door.http.get("/api/v1/metrics")).json()
        assert figures["jobs"]["created"] == 3
        assert figures["queues"]["default"]["workers"] == 2
        assert figures["queues"]["default"]["last_minute"]["created_per_second"] > 0
        assert [worker["id"] for worker in figures["workers"]] == ["w1", "w2"]
        assert (await http.get("/api/v1/metrics")).json().keys() == figures.keys()


async def test_without_a_metrics_service_the_gateway_says_so(door: Door) -> None:
    for path in ("/metrics", "/api/v1/metrics"):
        response = await door.http.get(path)
        assert "nobody answered" in problem(response, 503).detail
        assert response.headers["retry-after"] == "2"


async def test_the_newest_one_serves_and_the_one_before_says_what_it_lacks(
    nats: Server, namespace: str, storage: Storage, door: Door
) -> None:
    async with metrics(nats, namespace, storage) as first:
        assert (await first.get("/ready")).status_code == 200
        async with metrics(nats, namespace, storage) as second:

            async def leaves() -> bool:
                # Whatever it counts it cannot store, and notices.
                await publish(door.bus, events(jobs=1))
                return (await first.get("/ready")).status_code == 503

            await wait_until(leaves, "the first is no longer ready")
            assert "another metrics service" in (await first.get("/ready")).json()["missing"][0]
            assert (await first.get("/metrics")).content == b""
            assert (await second.get("/ready")).json() == {"status": "ready", "missing": []}
            assert "taskqueue_jobs_created_total" in (await door.http.get("/metrics")).text
