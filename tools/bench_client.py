"""Measures how fast a client submits: ``python -m tools.bench_client [--way nats|grpc|all]``.

Starts ``gotask up`` with its own data, every write fsynced, and submits no-op jobs to a paused queue, so that nothing
but submissions is measured: ``submit`` calls of ``--callers`` concurrent callers and of one, ``submit_many`` calls of
``--batch`` jobs, and threads that share a ``SyncClient``. A submission counts when its job is stored.
"""

import argparse
import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import uvloop

from gotask.embedded import free_port
from gotask.sdk import Client, NewJob, SyncClient
from tools.bench import running_stack

_QUEUE = "bench"
_PAYLOAD = {"i": 1, "s": "x" * 32}
_THREADS = 64


async def _rate(jobs: int, submit: Callable[[int], Awaitable[object]], callers: int, each: int) -> float:
    """Jobs per second, where *callers* submit *each* at a time until there are *jobs*."""
    left = jobs

    async def call() -> None:
        nonlocal left
        while left > 0:
            left -= each
            await submit(each)

    began = time.perf_counter()
    await asyncio.gather(*(call() for _ in range(callers)))
    return jobs / (time.perf_counter() - began)


async def _measure(url: str, options: argparse.Namespace) -> dict[str, float]:
    async with Client(url) as client:
        await client.queues.create(_QUEUE)
        await client.queues.pause(_QUEUE)

        async def one(_: int) -> None:
            await client.submit("echo", _PAYLOAD, queue=_QUEUE)

        async def many(count: int) -> None:
            await client.submit_many([NewJob("echo", _PAYLOAD, queue=_QUEUE) for _ in range(count)])

        await _rate(1_000, one, options.callers, 1)
        figures = {
            f"submit, {options.callers} callers": await _rate(options.jobs, one, options.callers, 1),
            "submit, 1 caller": await _rate(options.jobs // 50, one, 1, 1),
            f"submit_many of {options.batch}": await _rate(options.jobs, many, 4, options.batch),
        }
    figures[f"SyncClient.submit, {_THREADS} threads"] = await asyncio.to_thread(_from_threads, url, options.jobs // 4)
    return figures


def _from_threads(url: str, jobs: int) -> float:
    with SyncClient(url) as client, ThreadPoolExecutor(_THREADS) as threads:

        def submit(count: int) -> None:
            for _ in range(count):
                client.submit("echo", _PAYLOAD, queue=_QUEUE)

        began = time.perf_counter()
        list(threads.map(submit, [jobs // _THREADS] * _THREADS))
        return jobs / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--way", choices=["nats", "grpc", "all"], default="all")
    parser.add_argument("--jobs", type=int, default=20_000, help="jobs per figure")
    parser.add_argument("--callers", type=int, default=500, help="concurrent callers of submit")
    parser.add_argument("--batch", type=int, default=500, help="jobs per submit_many")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    grpc_port = free_port()
    os.environ["GOTASK_GRPC_PORT"] = str(grpc_port)
    found = {}
    for way in ("nats", "grpc") if options.way == "all" else (options.way,):
        with running_stack("redis", 1) as stack:
            url = stack.nats_url if way == "nats" else f"grpc://127.0.0.1:{grpc_port}"
            found[way] = uvloop.run(_measure(url, options))
    if options.json:
        print(json.dumps(found))
        return
    for way, figures in found.items():
        print(f"over {way}, jobs stored per second, every write fsynced")
        for name, rate in figures.items():
            print(f"  {name:<32} {rate:10,.0f}")


if __name__ == "__main__":
    main()
