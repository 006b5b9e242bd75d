"""Measures a large fleet: ``python -m tools.bench_workers [--storage redis|postgres|memory] [--workers 1200]``.

Starts ``gotask up`` with its own data, every write fsynced, and connects so many workers to it, each with a connection,
claims, heartbeats and results of its own, simulated by a few processes. Prints the CPU that each process of the stack
takes while the fleet has nothing to do; how quickly each worker has a job when as many jobs as there are workers come
at once, and none of them ends before all have begun; and how quickly jobs start, and how many workers got one, when
two for each worker come one after another.
"""

import argparse
import asyncio
import json
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.synchronize import Event, Semaphore
from typing import Any

import uvloop

from gotask import v1
from gotask.bus.bus import Bus
from gotask.sdk import Client, NewJob
from gotask.sdk.client.job import Job
from gotask.sdk.context import JobContext
from gotask.worker.claims import Claims
from gotask.worker.heartbeat import Heartbeats
from gotask.worker.results import Results
from gotask.worker.running import RunningJob
from gotask.worker.settings import WorkerSettings
from tests.support.waiting import wait_until
from tools.bench import Stack, running_stack

_QUEUE = "fleet"
_CONNECTING_AT_ONCE = 50
_PATIENCE_S = 120
_BATCH = 500
_SHARES = {"p50": 50, "p95": 95, "p99": 99, "max": 100}


class Member:
    """One worker with a single slot. A job takes as many seconds as its payload says.

    Of a real worker it lacks what would load this machine and not the stack: the pool, the watchdog, progress.
    """

    def __init__(self, bus: Bus, worker_id: str, settings: WorkerSettings) -> None:
        self._id = worker_id
        self._held: dict[str, RunningJob] = {}
        self._results = Results(bus, worker_id, self._forget)
        self._heartbeats = Heartbeats(bus, settings.heartbeat, self._describe, self._held, lambda *_: None)
        self._claims = Claims(bus, worker_id, [_QUEUE], 1, settings.claim_wait, self._start_jobs)

    async def start(self) -> None:
        await self._heartbeats.start()
        await self._claims.start()

    def _describe(self) -> v1.WorkerInfo:
        return v1.WorkerInfo(id=self._id, queues=[_QUEUE], concurrency=1, running=len(self._held))

    def _start_jobs(self, reply: v1.ClaimReply) -> int:
        for data, attempt in zip(reply.specs, reply.attempts, strict=True):
            spec = v1.JobSpec.FromString(data)
            context = JobContext(spec, attempt, 0, lambda *_: None)
            self._held[spec.id] = job = RunningJob(spec, spec.id, attempt, context, time.time_ns() // 1000)
            asyncio.get_running_loop().call_later(json.loads(spec.payload), self._end, job)
        return len(reply.specs)

    def _forget(self, jobs: Iterable[RunningJob]) -> None:
        for job in jobs:
            del self._held[job.job_id]

    def _end(self, job: RunningJob) -> None:
        attempt = v1.Attempt(
            attempt=job.attempt,
            worker=self._id,
            started_at_us=job.started_at_us,
            finished_at_us=time.time_ns() // 1000,
            outcome=v1.OUTCOME_SUCCESS,
        )
        self._results.submit(job, v1.JobResult(job_id=job.job_id, queue=_QUEUE, type=job.spec.type, attempt=attempt))
        self._claims.free()


async def _be_members(nats_url: str, ids: Sequence[str], ready: Semaphore, over: Event) -> None:
    settings = WorkerSettings.load(nats_url=nats_url)
    turn = asyncio.Semaphore(_CONNECTING_AT_ONCE)

    async def join(worker_id: str) -> Bus:
        async with turn:
            bus = await Bus.connect(settings, settings.namespace, worker_id, _PATIENCE_S)
            await Member(bus, worker_id, settings).start()
            return bus

    buses = await asyncio.gather(*map(join, ids))
    ready.release()
    await asyncio.to_thread(over.wait)
    await asyncio.gather(*(bus.close() for bus in buses))


def _process(nats_url: str, ids: Sequence[str], ready: Semaphore, over: Event) -> None:
    uvloop.run(_be_members(nats_url, ids, ready, over))


@contextmanager
def _fleet(nats_url: str, workers: int, processes: int) -> Iterator[None]:
    """Connected workers; they go at the end."""
    spawn = multiprocessing.get_context("spawn")
    ready, over = spawn.Semaphore(0), spawn.Event()
    ids = [f"member-{number}" for number in range(workers)]
    members = [
        spawn.Process(target=_process, args=(nats_url, ids[first::processes], ready, over), daemon=True)
        for first in range(processes)
    ]
    for member in members:
        member.start()
    try:
        for _ in members:
            if not ready.acquire(timeout=_PATIENCE_S):
                raise SystemExit("the workers did not connect")
        yield
    finally:
        over.set()
        for member in members:
            member.join(_PATIENCE_S)


async def _idle(stack: Stack, seconds: float) -> dict[str, float]:
    """The share of one processor that each process takes, in percent."""
    before = stack.cpu_s()
    await asyncio.sleep(seconds)
    return {name: 100 * (spent - before[name]) / seconds for name, spent in stack.cpu_s().items()}


async def _submit(client: Client, count: int, seconds: float) -> list[str]:
    handles = await client.submit_many([NewJob("member", seconds, queue=_QUEUE) for _ in range(count)])
    return [handle.id for handle in handles]


async def _at_once(client: Client, workers: int, hold_s: float) -> dict[str, Any]:
    """A job for each worker, all at once; none ends before all should have begun."""
    ids: list[str] = []
    for begin in range(0, workers, _BATCH):
        ids += await _submit(client, min(_BATCH, workers - begin), hold_s)
    return await _starts(client, ids)


async def _one_by_one(client: Client, jobs: int, rate: float) -> dict[str, Any]:
    """So many single jobs per second, which take no time."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    tasks = []
    for number in range(jobs):
        await asyncio.sleep(max(began + number / rate - loop.time(), 0))
        tasks.append(asyncio.create_task(_submit(client, 1, 0)))
    return await _starts(client, [job_id for ids in await asyncio.gather(*tasks) for job_id in ids])


async def _starts(client: Client, ids: Sequence[str]) -> dict[str, Any]:
    """How long the jobs waited from submission to the start of their handlers, and who ran them; once all ended."""

    async def all_done() -> object:
        stats = await client.queues.stats(_QUEUE)
        return not (stats.pending_jobs or stats.running_jobs)

    await wait_until(all_done, "all jobs ended", _PATIENCE_S)
    jobs: list[Job] = []
    for begin in range(0, len(ids), _BATCH):
        jobs += await asyncio.gather(*map(client.get, ids[begin : begin + _BATCH]))
    attempts = [(job, job.message.history.attempts[0]) for job in jobs]
    waits = sorted((attempt.started_at_us - job.message.spec.created_at_us) / 1000 for job, attempt in attempts)
    by_worker = Counter(attempt.worker for _, attempt in attempts)
    return {
        "jobs": len(jobs),
        "workers": len(by_worker),
        "most_per_worker": max(by_worker.values()),
        "start_ms": {name: waits[min(len(waits) * share // 100, len(waits) - 1)] for name, share in _SHARES.items()},
    }


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    with running_stack(options.storage, 1) as stack:
        async with Client(stack.nats_url) as client:
            await client.queues.create(_QUEUE)
            empty = await _idle(stack, options.seconds)
            began = time.monotonic()
            with _fleet(stack.nats_url, options.workers, options.processes):
                connected_s = time.monotonic() - began

                async def all_listed() -> object:
                    return len(await client.workers.list()) > options.workers

                await wait_until(all_listed, "all workers are listed", _PATIENCE_S)
                return {
                    "storage": options.storage,
                    "workers": options.workers,
                    "connected_s": connected_s,
                    "idle_cpu_percent": {"without": empty, "with": await _idle(stack, options.seconds)},
                    "at_once": await _at_once(client, options.workers, options.hold),
                    "one_by_one": await _one_by_one(client, 2 * options.workers, options.rate),
                    "rss_mb": stack.rss_mb(),
                }


def show(figures: dict[str, Any]) -> None:
    print(f"storage {figures['storage']}, {figures['workers']} workers, connected in {figures['connected_s']:.1f} s")
    idle = figures["idle_cpu_percent"]
    print(f"  {'nothing to do: % of a processor':<32} {'no fleet':>9} {'fleet':>9} {'RSS MB':>8}")
    for name, share in idle["with"].items():
        print(f"  {name:<32} {idle['without'][name]:9.1f} {share:9.1f} {figures['rss_mb'][name]:8.0f}")
    for title, name in {"a job for each, at once": "at_once", "two for each, one by one": "one_by_one"}.items():
        found = figures[name]
        waits = "   ".join(f"{share} {wait:.0f} ms" for share, wait in found["start_ms"].items())
        print(f"  {title}: {found['jobs']} jobs on {found['workers']} workers, at most {found['most_per_worker']} each")
        print(f"    submit to start   {waits}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--storage", choices=["redis", "postgres", "memory"], default="redis")
    parser.add_argument("--workers", type=int, default=1_200)
    parser.add_argument("--processes", type=int, default=2, help="in which the workers are simulated")
    parser.add_argument("--seconds", type=float, default=10, help="how long the idle fleet is watched")
    parser.add_argument("--hold", type=float, default=5, help="seconds that each job takes when all come at once")
    parser.add_argument("--rate", type=float, default=200, help="jobs per second when they come one by one")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = uvloop.run(measure(options))
    if options.json:
        print(json.dumps(figures))
    else:
        show(figures)


if __name__ == "__main__":
    main()
