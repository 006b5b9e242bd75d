"""Schedulers and a queue-manager in this process, over a real NATS."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

from gotask import v1
from gotask.bus.bus import Bus
from gotask.jobs.ids import new_id
from gotask.queue_manager.service import QueueManagerService
from gotask.queue_manager.settings import QueueManagerSettings
from gotask.scheduler.service import SchedulerService
from gotask.scheduler.settings import SchedulerSettings
from gotask.service.service import Service
from gotask.service.settings import StorageSettings
from gotask.storage.contract import JobFilter, Storage
from tests.support.waiting import wait_until

Started = TypeVar("Started", bound=Service)

NEVER = "@yearly"
SECONDLY = "* * * * * *"
_SPEED = 10


class FastClock:
    """Ten seconds of its time pass in one."""

    def __init__(self) -> None:
        self._began_us = time.time_ns() // 1000

    def now_us(self) -> int:
        real_us = time.time_ns() // 1000
        return self._began_us + (real_us - self._began_us) * _SPEED


class Office:
    """Starts and stops services, gives commands, and looks at what came of them. Time passes fast."""

    def __init__(self, nats_url: str, namespace: str, storage: Storage) -> None:
        self.storage = storage
        self.clock = FastClock()
        self._shared: dict[str, Any] = {"nats_url": nats_url, "namespace": namespace}
        self._stack = AsyncExitStack()
        self._bus: Bus | None = None
        self._running: list[Service] = []

    async def bus(self) -> Bus:
        """A connection of its own for each caller."""
        opened = await Bus.open(StorageSettings.load(**self._shared), "test")
        self._stack.push_async_callback(opened.close)
        return opened

    async def start_scheduler(self, **settings: Any) -> SchedulerService:
        defaults = {"scheduler_poll": 0.02, "missed_after": 3600.0}
        service = SchedulerService(
            SchedulerSettings.load(**{**self._shared, **defaults, **settings}),
            await self.bus(),
            self.storage,
            self.clock,
        )
        return await self._started(service)

    async def start_queue_manager(self, **settings: Any) -> QueueManagerService:
        service = QueueManagerService(
            QueueManagerSettings.load(**self._shared, **settings), await self.bus(), self.storage, self.clock
        )
        return await self._started(service)

    async def _started(self, service: Started) -> Started:
        await service.start()
        self._running.append(service)
        return service

    async def stop(self, service: Service) -> None:
        self._running.remove(service)
        await service.stop()

    async def command(self, verb: str, request: Any, reply_type: Any = v1.Schedule) -> Any:
        """CommandError when it is refused."""
        self._bus = self._bus or await self.bus()
        return await self._bus.command(f"{verb}_schedule", request, reply_type)

    async def create(self, cron_expr: str = NEVER, **fields: Any) -> v1.Schedule:
        schedule: v1.Schedule = await self.command("create", wanted(cron_expr, **fields))
        return schedule

    async def schedule(self, schedule_id: str) -> v1.Schedule:
        (found,) = await self.storage.get_schedules([schedule_id])
        return found

    async def jobs_of(self, schedule_id: str) -> list[v1.Job]:
        """Newest first."""
        page = await self.storage.list_jobs(JobFilter(), "", 500)
        return [job for job in page.jobs if job.spec.schedule_id == schedule_id]

    async def until(self, what: str, condition: Any) -> None:
        await wait_until(condition, what)

    async def close(self) -> None:
        for service in reversed(self._running):
            await service.stop()
        await self._stack.aclose()


def wanted(cron_expr: str = NEVER, **fields: Any) -> v1.Schedule:
    job = v1.JobSpec(type="echo", queue=fields.pop("queue", "default"), priority=1)
    schedule_id = new_id()
    return v1.Schedule(
        **{"id": schedule_id, "name": schedule_id, "timezone": "UTC", "job": job, "cron_expr": cron_expr, **fields}
    )


@asynccontextmanager
async def open_office(nats_url: str, namespace: str, storage: Storage) -> AsyncIterator[Office]:
    opened = Office(nats_url, namespace, storage)
    try:
        yield opened
    finally:
        await opened.close()
