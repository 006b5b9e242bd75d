"""Connections that break, servers that die: one clear error, a repeat is safe, the storage recovers by itself."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, TypeVar

import pytest

from gotask import v1
from gotask.jobs.request import default_queue
from gotask.jobs.states import CANCELLED, DEAD, PENDING, RUNNING, SCHEDULED, SUCCESS
from gotask.storage.contract import (
    Finish,
    FinishStatus,
    InsertStatus,
    JobFilter,
    Lease,
    Storage,
    StorageUnavailable,
)
from tests.storage.faults import BREAKABLE, Breakable
from tests.storage.support import LEASE, NOW, SECOND, claim, end, get, insert, job, job_in, listed, outcome
from tests.support.proxy import Proxy, proxy_to
from tests.support.waiting import wait_until

T = TypeVar("T")
State: TypeAlias = v1.JobState.ValueType
BATCH = 40
BREAKS: dict[str, Callable[[Proxy], None]] = {
    "nothing arrives": lambda proxy: proxy.cut_next_request(0),
    "half a request arrives": lambda proxy: proxy.cut_next_request(0.5),
    "the answer is lost": lambda proxy: proxy.lose_next_answer(),
}


@dataclass(frozen=True)
class Line:
    """A storage that is reached through a proxy."""

    storage: Storage
    proxy: Proxy

    async def broken(self, how: str, call: Callable[[], Awaitable[T]]) -> T:
        """The answer to the repeat of a call whose first try broke."""
        BREAKS[how](self.proxy)
        with pytest.raises(StorageUnavailable):
            await call()
        return await call()


@pytest.fixture(params=BREAKABLE, scope="module")
def breakable(request: pytest.FixtureRequest) -> Iterator[Breakable]:
    with BREAKABLE[request.param]() as running:
        yield running


@pytest.fixture
async def line(breakable: Breakable, namespace: str) -> AsyncIterator[Line]:
    async with proxy_to(breakable.server.command.port) as proxy:
        storage = breakable.storage_at(proxy.port, namespace)
        await storage.open()
        await storage.create_queue(default_queue("default", NOW))
        yield Line(storage, proxy)
        await storage.close()


@pytest.fixture(params=BREAKS)
def how(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _specs() -> list[v1.JobSpec]:
    return [job(payload=b'"' + b"x" * 200 + b'"') for _ in range(BATCH)]


async def test_a_batch_of_jobs_is_stored_once(line: Line, how: str) -> None:
    specs = _specs()
    inserted = await line.broken(how, lambda: line.storage.insert_jobs(specs, NOW))
    assert len({one.status for one in inserted}) == 1
    for one, spec in zip(inserted, specs, strict=True):
        assert one.status is InsertStatus.CREATED or one.existing_id == spec.id
    assert await listed(line.storage, limit=100) == [spec.id for spec in reversed(specs)]
    assert [one.job_id for one in await claim(line.storage, 2 * BATCH)] == [spec.id for spec in specs]


async def test_a_claim_gives_every_job_once_and_lost_ones_when_their_lease_is_over(line: Line, how: str) -> None:
    ids = await insert(line.storage, *_specs())
    given = await line.broken(how, lambda: claim(line.storage, BATCH))
    leases = await line.storage.expired_leases(NOW + LEASE, 2 * BATCH)
    assert sorted(lease.job_id for lease in leases) == sorted(ids)
    if not given:
        await line.storage.finish([Finish(*lease[:3], PENDING, b"") for lease in leases], NOW)
        given = await claim(line.storage, BATCH)
    assert [one.job_id for one in given] == ids
    assert len({one.attempt for one in given}) == 1


async def test_outcomes_are_applied_once(line: Line, how: str) -> None:
    ids = await insert(line.storage, *_specs())
    outcomes = [outcome(one, result=b"84") for one in await claim(line.storage, BATCH)]
    finished = await line.broken(how, lambda: line.storage.finish(outcomes, NOW))
    assert {one.status for one in finished} in ({FinishStatus.APPLIED}, {FinishStatus.REPEATED})
    jobs = [await get(line.storage, job_id) for job_id in ids]
    assert {(found.state, found.result, len(found.history.attempts)) for found in jobs} == {(SUCCESS, b"84", 1)}
    (stats,) = await line.storage.queue_stats(["default"], NOW)
    assert (stats.completed_total, stats.running) == (BATCH, 0)


COMMANDS: dict[str, tuple[State, Callable[[Storage, list[str]], Awaitable[Any]], State | None]] = {
    "cancel": (PENDING, lambda storage, ids: storage.cancel(ids, NOW), CANCELLED),
    "cancel running": (RUNNING, lambda storage, ids: storage.cancel(ids, NOW), RUNNING),
    "purge": (PENDING, lambda storage, _: storage.cancel_waiting("default", NOW, 100), CANCELLED),
    "release": (SCHEDULED, lambda storage, ids: storage.release(ids, NOW + SECOND), PENDING),
    "retry": (DEAD, lambda storage, ids: storage.retry(ids, NOW), PENDING),
    "delete": (SUCCESS, lambda storage, ids: storage.delete(ids), None),
    "prune": (SUCCESS, lambda storage, _: storage.prune(NOW + 10**15, 100), None),
    "extend": (RUNNING, lambda storage, ids: storage.extend_leases(_held(ids), [NOW + 9 * LEASE] * len(ids)), RUNNING),
    "read": (PENDING, lambda storage, ids: storage.get_jobs(ids), PENDING),
    "list": (PENDING, lambda storage, _: storage.list_jobs(JobFilter(), "", 10), PENDING),
    "pause": (PENDING, lambda storage, _: storage.set_paused("default", True, NOW), PENDING),
}


def _held(ids: list[str]) -> list[Lease]:
    return [Lease(job_id, "default", 1) for job_id in ids]


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_command_leaves_the_jobs_as_if_it_had_been_given_once(line: Line, how: str, name: str) -> None:
    before, command, after = COMMANDS[name]
    ids = [await job_in(line.storage, before) for _ in range(3)]
    await line.broken(how, lambda: command(line.storage, ids))
    jobs = await line.storage.get_jobs(ids)
    assert [found.state if found else None for found in jobs] == [after] * 3
    if after is PENDING and name != "pause":
        assert len(await claim(line.storage, 9)) == 3


async def test_calls_that_run_when_all_connections_break_are_repeated_safely(line: Line) -> None:
    specs = _specs()
    batches = [[spec] for spec in specs]
    calls = [asyncio.create_task(line.storage.insert_jobs(batch, NOW)) for batch in batches]
    await asyncio.sleep(0)
    line.proxy.cut()
    told = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(one, list | StorageUnavailable) for one in told)
    await asyncio.gather(*(line.storage.insert_jobs(batch, NOW) for batch in batches))
    assert len(await claim(line.storage, 2 * BATCH)) == BATCH


async def test_a_server_out_of_reach_is_found_again(line: Line) -> None:
    await line.proxy.stop()
    for _ in range(3):
        with pytest.raises(StorageUnavailable):
            await line.storage.ping()
    await line.proxy.start()
    await line.storage.ping()


class Crew:
    """Submitters and workers that repeat what breaks."""

    def __init__(self, submitting: Storage, working: Storage) -> None:
        self.submitting = submitting
        self.working = working
        self.stored: set[str] = set()
        self.ended: set[str] = set()
        self.done = asyncio.Event()

    async def submit(self) -> None:
        while not self.done.is_set():
            specs = [job() for _ in range(5)]
            await repeated(partial(self.submitting.insert_jobs, specs, NOW))
            self.stored.update(spec.id for spec in specs)
            await asyncio.sleep(0.01)

    async def work(self, name: str) -> None:
        while not self.done.is_set():
            await self.take(name)

    async def take(self, name: str) -> bool:
        claimed = await repeated(partial(claim, self.working, 10, worker=name))
        for one in claimed:
            assert (await repeated(partial(end, self.working, one))).state == SUCCESS
            self.ended.add(one.job_id)
        return bool(claimed)

    async def finish_the_rest(self) -> None:
        """Also what was claimed by an answer that never arrived."""
        leases = await self.working.expired_leases(NOW + LEASE, 1_000)
        await self.working.finish([Finish(*lease[:3], PENDING, b"") for lease in leases], NOW)
        while await self.take("last"):
            pass


async def repeated(call: Callable[[], Awaitable[T]]) -> T:
    """The answer of a call that is repeated while the storage is away."""
    while True:
        try:
            return await call()
        except StorageUnavailable:
            await asyncio.sleep(0.02)


async def test_a_killed_server_loses_nothing_and_is_found_again(breakable: Breakable, namespace: str) -> None:
    storages = [breakable.storage_at(breakable.server.command.port, namespace) for _ in range(2)]
    for storage in storages:
        await storage.open()
    await storages[0].create_queue(default_queue("default", NOW))
    crew = Crew(*storages)
    tasks = [asyncio.create_task(crew.submit()) for _ in range(4)]
    tasks += [asyncio.create_task(crew.work(f"w{number}")) for number in range(4)]
    for kills in range(1, 4):
        await wait_until(partial(_have_ended, crew, 50 * kills), f"jobs end after {kills - 1} kills")
        breakable.server.kill()
        await asyncio.to_thread(breakable.server.start)
    crew.done.set()
    async with asyncio.timeout(30):
        await asyncio.gather(*tasks)
        await crew.finish_the_rest()
    assert crew.ended == crew.stored
    for storage in storages:
        await storage.close()


def _have_ended(crew: Crew, count: int) -> bool:
    return len(crew.ended) > count
