"""Three scheduler processes, killed at random, under schedules that fire every second: one job per fire.

``GOTASK_TEST_KILL_SECONDS=60`` lets it go on for longer.
"""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gotask import v1
from gotask.bus.bus import Bus
from gotask.jobs.ids import new_id
from gotask.jobs.schedules import fire_of_tick
from gotask.queue_manager.service import QueueManagerService
from gotask.queue_manager.settings import QueueManagerSettings
from gotask.sdk import App
from gotask.service.clock import SystemClock
from gotask.storage.contract import Inserted, InsertStatus, Storage
from gotask.storage.postgres import PostgresAddress, PostgresStorage
from gotask.storage.redis.backend import RedisStorage
from gotask.worker.service import WorkerService
from gotask.worker.settings import WorkerSettings
from tests.storage.support import add_queue
from tests.support.servers import Server
from tests.support.stack import ServiceProcess
from tests.support.waiting import wait_until

SECONDS = int(os.environ.get("GOTASK_TEST_KILL_SECONDS", "8"))
SCHEDULES = 20
SCHEDULERS = 3
SECOND = 1_000_000


class CountingStorage:
    """A storage that counts how often each job was stored."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.created: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    async def insert_jobs(self, specs: Sequence[v1.JobSpec], now_us: int) -> list[Inserted]:
        found = await self._storage.insert_jobs(specs, now_us)
        self.created.update(
            spec.id for spec, one in zip(specs, found, strict=True) if one.status is InsertStatus.CREATED
        )
        return found


class Place(NamedTuple):
    """A storage that processes can share, and how they are told of it."""

    storage: Storage
    environment: dict[str, str]


def _redis(request: pytest.FixtureRequest, namespace: str) -> Place:
    address = request.getfixturevalue("valkey").address
    return Place(RedisStorage(address, namespace), {"GOTASK_STORAGE": "redis", "GOTASK_REDIS_ADDR": address})


def _postgres(request: pytest.FixtureRequest, namespace: str) -> Place:
    address = request.getfixturevalue("postgres").address
    storage = PostgresStorage(PostgresAddress(address), namespace)
    return Place(storage, {"GOTASK_STORAGE": "postgres", "GOTASK_POSTGRES_DSN": address})


@pytest.fixture(params=[_redis, _postgres], ids=["redis", "postgres"])
def place(request: pytest.FixtureRequest, namespace: str) -> Place:
    found: Place = request.param(request, namespace)
    return found


@pytest.fixture
async def storage(place: Place) -> AsyncIterator[Any]:
    """With a queue whose jobs are forgotten as soon as they succeed."""
    await place.storage.open()
    await add_queue(place.storage, "default", retention_success_us=0)
    yield CountingStorage(place.storage)
    await place.storage.close()


@pytest.fixture
async def bus(nats: Server, namespace: str, storage: Any) -> AsyncIterator[Bus]:
    """With a queue-manager and a worker behind it."""
    shared: dict[str, Any] = {"nats_url": nats.address, "namespace": namespace}
    buses = [await Bus.open(WorkerSettings.load(**shared), "test") for _ in range(3)]
    manager = QueueManagerService(
        QueueManagerSettings.load(**shared, prune_every=0.2), buses[0], storage, SystemClock()
    )
    app = App()
    app.job("echo")(_nothing)
    worker = WorkerService(WorkerSettings.load(**shared, concurrency=50), buses[1], app, SystemClock())
    await manager.start()
    await worker.start()
    yield buses[2]
    await worker.stop()
    await manager.stop()
    for one in buses:
        await one.close()


@pytest.fixture
def schedulers(nats: Server, place: Place, namespace: str, tmp_path: Path) -> Iterator[list[ServiceProcess]]:
    environment = {"GOTASK_NATS_URL": nats.address, "GOTASK_NAMESPACE": namespace, **place.environment}
    processes = [
        ServiceProcess("scheduler", [], environment, tmp_path / f"scheduler-{number}.log")
        for number in range(SCHEDULERS)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.wait_ready()
    yield processes
    for process in processes:
        process.kill()


async def _nothing() -> None:
    pass


@pytest.mark.timeout(SECONDS + 100)
async def test_every_second_has_one_job_though_schedulers_are_killed(
    storage: Any, bus: Bus, schedulers: list[ServiceProcess]
) -> None:
    end_s = time.time_ns() // 1_000_000_000 + SECONDS
    schedules = [await bus.command("create_schedule", _secondly(end_s), v1.Schedule) for _ in range(SCHEDULES)]
    kills = await _kill_at_random(schedulers, end_s)
    assert kills
    fires = {schedule.id: _fires(schedule, end_s) for schedule in schedules}
    expected = {job_id for jobs in fires.values() for job_id in jobs}
    await wait_until(lambda: len(storage.created) >= len(expected), f"all {len(expected)} jobs were stored", 60)
    await _all_ended(storage)
    assert storage.created.keys() == expected
    assert set(storage.created.values()) == {1}
    for schedule in await storage.get_schedules([one.id for one in schedules]):
        assert [fire.job_id for fire in schedule.fires] == fires[schedule.id][:-21:-1]
        assert schedule.next_fire_at_us == 0


def _fires(schedule: v1.Schedule, end_s: int) -> list[str]:
    """The jobs of every second from the first fire on, which its creation has told."""
    return [fire_of_tick(schedule, tick).job_id for tick in range(schedule.next_fire_at_us, end_s * SECOND + 1, SECOND)]


def _secondly(end_s: int) -> v1.Schedule:
    schedule_id = new_id()
    return v1.Schedule(
        id=schedule_id,
        name=schedule_id,
        cron_expr="* * * * * *",
        timezone="UTC",
        job=v1.JobSpec(type="echo", queue="default", priority=1),
        ends_at_us=end_s * SECOND,
    )


async def _kill_at_random(schedulers: Sequence[ServiceProcess], end_s: int) -> int:
    """Kills one after the other, often two or all before the first is back; how many it killed."""
    chance = random.Random(7)
    kills = 0
    while time.time() < end_s:
        for victim in chance.sample(list(schedulers), chance.randint(1, SCHEDULERS)):
            await asyncio.sleep(chance.random() * 0.5)
            victim.kill()
            victim.start()
            kills += 1
        await asyncio.to_thread(chance.choice(schedulers).wait_ready)
        await asyncio.sleep(chance.random())
    return kills


async def _all_ended(storage: Any) -> None:
    async def none_left() -> bool:
        (stats,) = await storage.queue_stats(["default"], 0)
        return not stats.pending + stats.running + stats.scheduled and await storage.next_fire() is None

    await wait_until(none_left, "every fire is closed, and every job has ended", 60)
