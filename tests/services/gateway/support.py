"""A gateway and a queue-manager in this process, over a real NATS."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import grpc
import httpx

from gotask import v1
from gotask.bus.bus import Bus, Publication
from gotask.bus.subjects import Stream
from gotask.embedded import free_port
from gotask.gateway.rest.schemas import Problem
from gotask.gateway.service import GatewayService
from gotask.gateway.settings import GatewaySettings
from gotask.jobs.ids import new_id
from gotask.metrics.service import MetricsService
from gotask.metrics.settings import MetricsSettings
from gotask.queue_manager.service import QueueManagerService
from gotask.queue_manager.settings import QueueManagerSettings
from gotask.scheduler.service import SchedulerService
from gotask.scheduler.settings import SchedulerSettings
from gotask.service.clock import Clock, SystemClock
from gotask.service.service import Service
from gotask.service.settings import ServiceSettings
from gotask.storage.contract import Claimed, Share, Slot, Storage

_STREAM_BYTES = 16 << 20
API = "/api/v1"

Beside = contextlib.AbstractAsyncContextManager[None]
"""A service that runs beside the gateway until it is left."""


@dataclass
class Door:
    """A gateway that runs, and clients that talk to it."""

    http: httpx.AsyncClient
    channel: grpc.aio.Channel
    grpc_target: str
    bus: Bus
    storage: Storage

    async def submit(self, **fields: Any) -> dict[str, Any]:
        """The document of a job that was stored."""
        response = await self.http.post(f"{API}/jobs", json={"type": "echo", **fields})
        assert response.status_code == 201, response.text
        document: dict[str, Any] = response.json()
        return document

    async def job(self, job_id: str) -> dict[str, Any]:
        response = await self.http.get(f"{API}/jobs/{job_id}")
        assert response.status_code == 200, response.text
        document: dict[str, Any] = response.json()
        return document

    async def start_jobs(self, queue: str = "default", count: int = 1) -> list[Claimed]:
        """As a worker would."""
        now_us = SystemClock().now_us()
        claims = await self.storage.claim([Slot("hand", count, [Share(queue, count)])], now_us, now_us + 60_000_000)
        return claims.jobs[0]

    async def end_job(self, claimed: Claimed, **fields: Any) -> None:
        """Reports the attempt as a worker would: a success, if *fields* of its JobResult do not say otherwise."""
        attempt = v1.Attempt(
            attempt=claimed.attempt,
            worker="hand",
            started_at_us=SystemClock().now_us() - 1_000,
            finished_at_us=SystemClock().now_us(),
            outcome=fields.pop("outcome", v1.OUTCOME_SUCCESS),
            error=fields.pop("error", None),
        )
        result = v1.JobResult(job_id=claimed.job_id, queue=claimed.queue, type="echo", attempt=attempt, **fields)
        data = v1.JobResults(worker="hand", results=[result]).SerializeToString()
        await self.bus.publish_durable(Publication(self.bus.subjects.result, data, new_id()))

    async def messages_submitted(self) -> int:
        """How many messages the SUBMIT stream has taken so far."""
        info = await self.bus.js.stream_info(self.bus.subjects.stream(Stream.SUBMIT))
        return info.state.last_seq


@contextlib.asynccontextmanager
async def gateway(nats_url: str, namespace: str, storage: Storage, **fields: Any) -> AsyncIterator[Door]:
    """A gateway with the settings in *fields*."""
    defaults = {
        "stream_max_bytes": _STREAM_BYTES,
        "events_max_bytes": _STREAM_BYTES,
        "http_port": free_port(),
        "grpc_port": free_port(),
    }
    settings = GatewaySettings.load(**{**defaults, "nats_url": nats_url, "namespace": namespace, **fields})
    bus = await Bus.open(settings, "gateway")
    base_url = f"http://127.0.0.1:{settings.http_port}"
    grpc_target = f"127.0.0.1:{settings.grpc_port}"
    async with (
        running(bus, lambda: GatewayService(settings, bus, storage, SystemClock())),
        httpx.AsyncClient(base_url=base_url, timeout=30) as http,
        grpc.aio.insecure_channel(grpc_target) as channel,
    ):
        yield Door(http, channel, grpc_target, bus, storage)


def queue_manager(nats_url: str, namespace: str, storage: Storage, **fields: Any) -> Beside:
    """A queue-manager with the settings in *fields*."""
    return _beside(QueueManagerSettings, QueueManagerService, storage, nats_url=nats_url, namespace=namespace, **fields)


def scheduler(nats_url: str, namespace: str, storage: Storage, **fields: Any) -> Beside:
    """A scheduler with the settings in *fields*."""
    return _beside(SchedulerSettings, SchedulerService, storage, nats_url=nats_url, namespace=namespace, **fields)


def metrics(nats_url: str, namespace: str, storage: Storage, **fields: Any) -> Beside:
    """A metrics service with the settings in *fields*."""
    own = {"metrics_port": free_port(), "nats_url": nats_url, "namespace": namespace}
    return _beside(MetricsSettings, MetricsService, storage, **own, **fields)


@contextlib.asynccontextmanager
async def _beside(
    settings_type: type[ServiceSettings],
    make: Callable[[Any, Bus, Storage, Clock], Service],
    storage: Storage,
    **fields: Any,
) -> AsyncIterator[None]:
    defaults = {"stream_max_bytes": _STREAM_BYTES, "events_max_bytes": _STREAM_BYTES}
    settings = settings_type.load(**{**defaults, **fields})
    bus = await Bus.open(settings, "beside")
    async with running(bus, lambda: make(settings, bus, storage, SystemClock())):
        yield


@contextlib.asynccontextmanager
async def running(bus: Bus, make: Callable[[], Service]) -> AsyncIterator[None]:
    """What *make* makes; the bus is closed after it, or when it cannot be made."""
    try:
        service = make()
        await service.start()
        try:
            yield
        finally:
            await service.stop()
    finally:
        await bus.close()


def problem(response: httpx.Response, status: int) -> Problem:
    """The problem document that *response* has to be."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found = Problem.model_validate_json(response.content)
    assert found.status == status
    return found
