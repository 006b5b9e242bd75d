"""All of GoTask in this process, over a real NATS: two gateways, two queue-managers, scheduler, metrics; and a test's
own workers, queues and jobs in it."""

import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, TypeVar

import httpx
from prometheus_client.parser import text_string_to_metric_families

from gotask.bus.bus import Bus
from gotask.embedded import free_port
from gotask.gateway.service import GatewayService
from gotask.gateway.settings import GatewaySettings
from gotask.metrics.service import MetricsService
from gotask.metrics.settings import MetricsSettings
from gotask.queue_manager.service import QueueManagerService
from gotask.queue_manager.settings import QueueManagerSettings
from gotask.scheduler.service import SchedulerService
from gotask.scheduler.settings import SchedulerSettings
from gotask.sdk import App
from gotask.service.clock import SystemClock
from gotask.service.service import Service
from gotask.storage.contract import Storage
from gotask.worker.service import WorkerService
from gotask.worker.settings import WorkerSettings
from tests.support.waiting import wait_until

FIRST_LEASE_S = 2.0
"""Outlasts a moment in which this process stands still; a job that lost its lease by it would have another attempt."""
HEARTBEAT_S = 0.2
_PATIENCE_S = 30.0
_names = itertools.count()

T = TypeVar("T")


class Town:
    """The services that all tests of one storage share."""

    def __init__(
        self, settings: dict[str, Any], bus: Bus, gateways: list[httpx.AsyncClient], metrics: httpx.AsyncClient
    ) -> None:
        self.settings = settings
        self.bus = bus
        self.gateways = gateways
        self.metrics = metrics


@contextlib.asynccontextmanager
async def open_town(nats_url: str, namespace: str, storage: Storage) -> AsyncIterator[Town]:
    shared: dict[str, Any] = {"nats_url": nats_url, "namespace": namespace}
    clock = SystemClock()
    async with contextlib.AsyncExitStack() as stack:

        async def run(build: Callable[[Bus], Service]) -> None:
            bus = await Bus.open(WorkerSettings.load(**shared), "town")
            stack.push_async_callback(bus.close)
            service = build(bus)
            await service.start()
            stack.push_async_callback(service.stop)

        manager = QueueManagerSettings.load(**shared, first_lease=FIRST_LEASE_S, lease_scan=0.1, claim_poll=0.1)
        for _ in range(2):
            await run(lambda bus: QueueManagerService(manager, bus, storage, clock))
        await run(lambda bus: SchedulerService(SchedulerSettings.load(**shared), bus, storage, clock))
        metrics = MetricsSettings.load(**shared, metrics_port=free_port())
        await run(lambda bus: MetricsService(metrics, bus, storage, clock))
        # On a busy machine an answer takes its time: it is waited for, not answered with 202 or 503.
        patience: dict[str, Any] = dict.fromkeys(
            ("publish_timeout", "submit_reply_timeout", "command_timeout"), _PATIENCE_S
        )
        doors = [
            GatewaySettings.load(**shared, **patience, http_port=free_port(), grpc_port=free_port()) for _ in range(2)
        ]
        for door in doors:
            await run(lambda bus, door=door: GatewayService(door, bus, storage, clock))  # type: ignore[misc]
        clients = [
            await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=60))
            for url in (
                *(f"http://127.0.0.1:{door.http_port}/api/v1" for door in doors),
                f"http://127.0.0.1:{metrics.metrics_port}",
            )
        ]
        bus = await Bus.open(WorkerSettings.load(**shared), "workers")
        stack.push_async_callback(bus.close)
        yield Town(shared, bus, clients[:-1], clients[-1])


class Life:
    """What one test does in the town: over REST, and with workers that run its own handlers."""

    def __init__(self, town: Town, stack: contextlib.AsyncExitStack) -> None:
        self.town = town
        self.http = town.gateways[0]
        self._stack = stack

    async def queue(self, **settings: Any) -> str:
        """The name of a new queue; its failed jobs are retried at once unless *settings* say otherwise."""
        name = f"q{next(_names)}"
        await self.post("/queues", {"name": name, "retry_delay": 0, **settings}, status=201)
        return name

    async def worker(self, app: App, *queues: str, **settings: Any) -> WorkerService:
        """A running worker; it is stopped at the end of the test."""
        worker = WorkerService(self.worker_settings(*queues, **settings), self.town.bus, app, SystemClock())
        await worker.start()
        self._stack.push_async_callback(worker.stop)
        return worker

    def worker_settings(self, *queues: str, **settings: Any) -> WorkerSettings:
        values: dict[str, Any] = {
            "queues": list(queues),
            "heartbeat": HEARTBEAT_S,
            "concurrency": 8,
            "grace": 0.05,
            "claim_wait": 5.0,
        }
        return WorkerSettings.load(**{**self.town.settings, **values, **settings})

    async def enter(self, context: contextlib.AbstractAsyncContextManager[T]) -> T:
        """Leaves *context* at the end of the test."""
        return await self._stack.enter_async_context(context)

    async def call(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        response = await self.http.request(method, path, json=body)
        assert response.status_code == status, response.text
        return response.json() if response.content else None

    async def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        return await self.call("POST", path, body, status)

    async def submit(self, job_type: str, queue: str, **fields: Any) -> str:
        """The id of a job that was stored."""
        document = await self.post("/jobs", {"type": job_type, "queue": queue, **fields}, status=201)
        return str(document["id"])

    async def submit_all(self, jobs: list[dict[str, Any]]) -> list[str]:
        """The ids of jobs that were stored, in order."""
        items: list[dict[str, Any]] = []
        for first in range(0, len(jobs), 1_000):
            items += (await self.post("/jobs/batch", {"jobs": jobs[first : first + 1_000]}))["items"]
        assert {item["status"] for item in items} == {201}, items[0]
        return [item["job"]["id"] for item in items]

    async def job(self, job_id: str) -> dict[str, Any]:
        document: dict[str, Any] = await self.call("GET", f"/jobs/{job_id}")
        return document

    async def ended(self, job_id: str) -> dict[str, Any]:
        """The job, once it is terminal."""
        document: dict[str, Any] = await self.call("GET", f"/jobs/{job_id}?wait=30s")
        assert document["finished_at"], f"the job has not ended: {document}"
        return document

    async def until(
        self, job_id: str, status: str, and_also: Callable[[dict[str, Any]], object] = lambda _: True
    ) -> dict[str, Any]:
        """The job, once it has that status."""

        async def look() -> dict[str, Any] | None:
            job = await self.job(job_id)
            return job if job["status"] == status and and_also(job) else None

        job: dict[str, Any] = await wait_until(look, f"job {job_id} is {status}")
        return job

    async def stats(self, queue: str) -> dict[str, Any]:
        document: dict[str, Any] = await self.call("GET", f"/queues/{queue}/stats")
        return document

    async def metric(self, name: str, **labels: str) -> float:
        """A Prometheus sample; 0 when there is none yet."""
        text = (await self.town.metrics.get("/metrics")).text
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    return sample.value
        return 0.0


def outcomes(job: dict[str, Any]) -> list[str]:
    """How each attempt of a job ended."""
    return [attempt["outcome"] for attempt in job["history"]]


def seconds(later: str, earlier: str) -> float:
    """Between two moments as REST writes them."""
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()
