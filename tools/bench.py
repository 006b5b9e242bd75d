"""Measures GoTask as it runs in production, every write fsynced: ``python -m tools.bench [--storage redis|…]``.

Starts ``gotask up`` with its own data, submits no-op jobs in batches over NATS, and prints jobs per second from the
first submission to the last stored result, CPU time per job and memory of each process, and how long a job takes from
submission to the start of its handler at light load. With ``--storage memory`` the services share one process.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psutil
import uvloop

from gotask import v1
from gotask.bus.bus import Bus, Publication
from gotask.embedded import free_port
from gotask.jobs.ids import new_id
from gotask.service.settings import ServiceSettings

_PAYLOAD = b'{"i":1,"s":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}'
_PATIENCE_S = 120
_LOOK_S = 0.05
_IN_FLIGHT = 4
_POSTGRES = "postgres"


@dataclass(frozen=True)
class Stack:
    """A running ``gotask up``."""

    process: psutil.Process
    api: str
    grpc: str
    nats_url: str
    dashboard: str

    def cpu_s(self) -> dict[str, float]:
        """User and system time of each process so far."""
        return {name: _cpu_s(process) for name, process in self._named()}

    def rss_mb(self) -> dict[str, float]:
        return {name: _memory_bytes(process) / 2**20 for name, process in self._named()}

    def _named(self) -> Iterator[tuple[str, psutil.Process]]:
        children = self.process.children()
        for child in children:
            command = child.cmdline()
            yield command[3] if "gotask.cli" in command else child.name(), child
        if len(children) == 1:
            yield "services (one process)", self.process

    def named(self, name: str) -> psutil.Process:
        """The process of one service."""
        return next(process for each, process in self._named() if each == name)

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.api + path, timeout=30) as answer:
            return json.loads(answer.read())

    def completed(self) -> int:
        return int(self.get("/queues/default/stats")["completed_jobs"])


def _cpu_s(process: psutil.Process) -> float:
    """User and system time; of PostgreSQL, that of its own processes as well, those that have ended included."""
    times = process.cpu_times()
    if process.name() != _POSTGRES:
        return times.user + times.system
    children = [child.cpu_times() for child in process.children()]
    return sum(times[:4]) + sum(child.user + child.system for child in children)


def _memory_bytes(process: psutil.Process) -> int:
    """Resident memory; of PostgreSQL, that of its own processes as well, and what they share once."""
    rss: int = process.memory_info().rss
    if process.name() != _POSTGRES:
        return rss
    return rss + sum(child.memory_full_info().uss for child in process.children())


@contextmanager
def running_stack(storage: str, concurrency: int) -> Iterator[Stack]:
    """``gotask up`` on free ports with its data in a temporary folder; stopped at the end."""
    ports = {name: free_port() for name in ("nats", "redis", "postgres", "http", "grpc", "metrics", "dashboard")}
    with tempfile.TemporaryDirectory() as data:
        options = [f"--{name}-port={port}" for name, port in ports.items()]
        argv = [sys.executable, "-m", "gotask.cli", "up", f"--storage={storage}", f"--data={data}/gotask", *options]
        with open(f"{data}/log", "w") as log:  # noqa: PTH123
            up = subprocess.Popen([*argv, f"--concurrency={concurrency}"], stdout=log, stderr=log)
        stack = Stack(
            psutil.Process(up.pid),
            api=f"http://127.0.0.1:{ports['http']}/api/v1",
            grpc=f"127.0.0.1:{ports['grpc']}",
            nats_url=f"nats://127.0.0.1:{ports['nats']}",
            dashboard=f"http://127.0.0.1:{ports['dashboard']}",
        )
        try:
            _wait_ready(up, ports["http"], f"{data}/log")
            yield stack
        finally:
            up.terminate()
            up.wait(60)


def _wait_ready(up: "subprocess.Popen[bytes]", port: int, log: str) -> None:
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        if up.poll() is not None:
            raise SystemExit(f"gotask up ended:\n{open(log).read()[-3000:]}")  # noqa: PTH123, SIM115
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=2):
                return
        except OSError:
            time.sleep(_LOOK_S)
    raise SystemExit("gotask up did not get ready")


async def _submit(bus: Bus, count: int) -> list[str]:
    """Submits so many jobs in one message; their ids."""
    now_us = time.time_ns() // 1000
    ids = [new_id() for _ in range(count)]
    request = v1.SubmitJobs()
    for job_id in ids:
        request.jobs.add(id=job_id, type="echo", queue="default", payload=_PAYLOAD, priority=1, created_at_us=now_us)
    data = request.SerializeToString()
    await bus.publish_durable(Publication(bus.subjects.submit("default"), data, uuid.uuid4().hex))
    return ids


async def throughput(stack: Stack, bus: Bus, jobs: int, batch: int) -> float:
    """Jobs per second from the first submission until the last of them is stored as a success."""
    before = stack.completed()
    room = asyncio.Semaphore(_IN_FLIGHT)

    async def submit(count: int) -> None:
        try:
            await _submit(bus, count)
        finally:
            room.release()

    began = time.monotonic()
    tasks = []
    for done in range(0, jobs, batch):
        await room.acquire()
        tasks.append(asyncio.create_task(submit(min(batch, jobs - done))))
    await asyncio.gather(*tasks)
    while await asyncio.to_thread(stack.completed) < before + jobs:
        if time.monotonic() - began > _PATIENCE_S:
            raise SystemExit("the jobs did not end")
        await asyncio.sleep(_LOOK_S)
    return jobs / (time.monotonic() - began)


async def latencies_ms(stack: Stack, bus: Bus, rate: int, seconds: float) -> list[float]:
    """Submission to handler start of single jobs, *rate* per second, in milliseconds, sorted."""
    began = time.monotonic()
    tasks = []
    for index in range(round(rate * seconds)):
        await asyncio.sleep(max(began + index / rate - time.monotonic(), 0))
        tasks.append(asyncio.create_task(_submit(bus, 1)))
    found = []
    for (job_id,) in await asyncio.gather(*tasks):
        told = await asyncio.to_thread(stack.get, f"/jobs/{job_id}?wait=10s")
        started, created = (_us(text) for text in (told["history"][0]["started_at"], told["created_at"]))
        found.append((started - created) / 1000)
    return sorted(found)


def _us(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() * 1e6


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    with running_stack(options.storage, options.concurrency) as stack:
        bus = await Bus.open(ServiceSettings.load(nats_url=stack.nats_url), "bench")
        await throughput(stack, bus, 1_000, options.batch)
        light = await latencies_ms(stack, bus, options.rate, options.seconds)
        runs = []
        before = stack.cpu_s()
        for _ in range(options.runs):
            runs.append(await throughput(stack, bus, options.jobs, options.batch))  # noqa: PERF401 - measured
        total = options.runs * options.jobs
        cpu = {name: (spent - before[name]) * 1e6 / total for name, spent in stack.cpu_s().items()}
        rss = stack.rss_mb()
        await bus.close()
    return {
        "storage": options.storage,
        "jobs": options.jobs,
        "jobs_per_second": {"median": statistics.median(runs), "min": min(runs), "max": max(runs)},
        "cpu_us_per_job": cpu,
        "rss_mb": rss,
        "submit_to_start_ms": {f"p{share}": light[len(light) * share // 100] for share in (50, 95, 99)},
    }


def show(figures: dict[str, Any]) -> None:
    rate = figures["jobs_per_second"]
    print(f"storage {figures['storage']}, {figures['jobs']} no-op jobs, every write fsynced")
    print(f"  jobs/s end to end   median {rate['median']:8.0f}   min {rate['min']:8.0f}   max {rate['max']:8.0f}")
    light = figures["submit_to_start_ms"]
    print("  submit to start     " + "   ".join(f"{name} {value:.2f} ms" for name, value in light.items()))
    print(f"  {'process':<24} {'CPU us/job':>10} {'RSS MB':>8}")
    for name, spent in figures["cpu_us_per_job"].items():
        print(f"  {name:<24} {spent:10.1f} {figures['rss_mb'][name]:8.0f}")
    print(f"  {'all':<24} {sum(figures['cpu_us_per_job'].values()):10.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--storage", choices=["redis", "postgres", "memory", "all"], default="all")
    parser.add_argument("--jobs", type=int, default=40_000, help="jobs per run")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--batch", type=int, default=500, help="jobs per submission")
    parser.add_argument("--concurrency", type=int, default=1_000, help="jobs that the worker runs at once")
    parser.add_argument("--rate", type=int, default=100, help="jobs per second for the latencies")
    parser.add_argument("--seconds", type=float, default=5, help="how long the latencies are measured")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    storages = ["memory", "redis", "postgres"] if options.storage == "all" else [options.storage]
    found = [uvloop.run(measure(argparse.Namespace(**{**vars(options), "storage": name}))) for name in storages]
    if options.json:
        print(json.dumps(found))
        return
    for figures in found:
        show(figures)


if __name__ == "__main__":
    main()
