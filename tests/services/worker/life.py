"""Queue-manager, scheduler and worker in this process, over a real NATS, for each storage."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from gotask import v1
from gotask.bus.bus import Bus, Publication
from gotask.jobs.ids import new_id
from gotask.jobs.states import TERMINAL
from gotask.queue_manager.service import QueueManagerService
from gotask.queue_manager.settings import QueueManagerSettings
from gotask.scheduler.service import SchedulerService
from gotask.scheduler.settings import SchedulerSettings
from gotask.sdk import App
from gotask.service.clock import SystemClock
from gotask.storage.contract import Storage
from gotask.storage.memory import MemoryStorage
from gotask.storage.redis.backend import RedisStorage
from gotask.worker.service import WorkerService
from gotask.worker.settings import WorkerSettings
from tests.support.servers import Server
from tests.support.waiting import wait_until


@dataclass
class Life:
    """What a test needs to send jobs through their life."""

    bus: Bus
    storage: Storage
    start_worker: Callable[..., Awaitable[WorkerService]]

    async def submit(self, job_type: str, payload: bytes = b"", **fields: Any) -> str:
        defaults = {"id": new_id(), "queue": "default", "priority": 1}
        spec = v1.JobSpec(**{**defaults, "type": job_type, "payload": payload, **fields})
        data = v1.SubmitJobs(jobs=[spec]).SerializeToString()
        await self.bus.publish_durable(Publication(self.bus.subjects.submit(spec.queue), data, spec.id))
        return spec.id

    async def job(self, job_id: str) -> v1.Job | None:
        return (await self.storage.get_jobs([job_id]))[0]

    async def ended(self, job_id: str) -> v1.Job:
        """The job, once it is terminal."""

        async def look() -> v1.Job | None:
            job = await self.job(job_id)
            return job if job is not None and job.state in TERMINAL else None

        job: v1.Job = await wait_until(look, f"job {job_id} ends")
        return job

    async def in_state(self, job_id: str, state: v1.JobState.ValueType) -> v1.Job:
        async def look() -> v1.Job | None:
            job = await self.job(job_id)
            return job if job is not None and job.state == state else None

        job: v1.Job = await wait_until(look, f"job {job_id} is in state {state}")
        return job


@pytest.fixture(params=["memory", "redis"])
async def life(request: pytest.FixtureRequest, nats: Server, namespace: str) -> AsyncIterator[Life]:
    """The services without a worker: the test starts its own, with its own handlers."""
    shared: dict[str, Any] = {"nats_url": nats.address, "namespace": namespace}
    storage: Storage = (
        MemoryStorage()
        if request.param == "memory"
        else RedisStorage(request.getfixturevalue("valkey").address, namespace)
    )
    await storage.open()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(storage.close)

        async def bus() -> Bus:
            opened = await Bus.open(WorkerSettings.load(**shared), "test")
            stack.push_async_callback(opened.close)
            return opened

        async def start_worker(app: App, **settings: Any) -> WorkerService:
            defaults = {"heartbeat": 0.2, "concurrency": 4, "grace": 5.0, "claim_wait": 2.0}
            worker = WorkerService(
                WorkerSettings.load(**{**shared, **defaults, **settings}), await bus(), app, SystemClock()
            )
            await worker.start()
            stack.push_async_callback(worker.stop)
            return worker

        manager = QueueManagerService(
            QueueManagerSettings.load(**shared, first_lease=1.0, lease_scan=0.1, claim_poll=0.2),
            await bus(),
            storage,
            SystemClock(),
        )
        scheduler = SchedulerService(SchedulerSettings.load(**shared), await bus(), storage, SystemClock())
        await manager.start()
        stack.push_async_callback(manager.stop)
        await scheduler.start()
        stack.push_async_callback(scheduler.stop)
        yield Life(await bus(), storage, start_worker)
