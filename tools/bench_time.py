"""Measures how late things are that wait on time, every write fsynced: ``python -m tools.bench_time``.

Starts ``gotask up`` with its own data. First many delayed jobs become due, spread over a minute, while others are
submitted at a steady rate, some of which fail and are retried; then thousands of schedules fire together. Lateness is
from when a job was due until it became pending, as the queue-manager's events tell it.
"""

import argparse
import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import Sequence
from typing import Any

import uvloop
from nats.aio.msg import Msg

from gotask import v1
from gotask.bus.bus import Bus, Publication
from gotask.jobs.ids import new_id
from gotask.service.settings import ServiceSettings
from tools.bench import Stack, running_stack

SECOND = 1_000_000
_PAYLOAD = b'{"n":1}'
_FAILS_ONCE = b'{"times":1}'
_RETRY_DELAY_US = 5 * SECOND
_BATCH = 500
_IN_FLIGHT = 4
_SLICES_PER_S = 20
_PATIENCE_S = 30
_TICKS = 2
_TICK_EVERY_S = 10
_ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")


def _now_us() -> int:
    return time.time_ns() // 1000


class Lateness:
    """Gathers, from events, by how much each job was late."""

    def __init__(self) -> None:
        self.due: dict[str, int] = {}
        self.late_us: dict[str, list[int]] = {"delayed": [], "retries": [], "fires": []}
        self._retries: dict[str, int] = {}
        self._news = asyncio.Event()

    async def listen(self, bus: Bus) -> None:
        for kind in (v1.EVENT_KIND_RELEASED, v1.EVENT_KIND_RETRYING, v1.EVENT_KIND_CREATED):
            await bus.client.subscribe(bus.subjects.event("*", kind), cb=self._on_events)
        await bus.client.flush()

    async def _on_events(self, message: Msg) -> None:
        for batch in v1.JobEvents.FromString(message.data).batches:
            if batch.kind == v1.EVENT_KIND_RETRYING:
                self._retries |= dict.fromkeys(batch.job_ids, batch.at_us + _RETRY_DELAY_US)
            elif batch.kind == v1.EVENT_KIND_RELEASED:
                self._note(batch, self.due, "delayed")
                self._note(batch, self._retries, "retries")
            elif batch.type == "fired":
                ticks = [_made_at_us(job_id) for job_id in batch.job_ids]
                self.late_us["fires"] += [batch.at_us - tick for tick in ticks]
        self._news.set()

    def _note(self, batch: v1.EventBatch, due: dict[str, int], what: str) -> None:
        found = [due.pop(job_id, None) for job_id in batch.job_ids]
        self.late_us[what] += [batch.at_us - due_us for due_us in found if due_us is not None]

    async def wait_for(self, what: str, count: int) -> None:
        """Until so many were seen, or for half a minute."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                while len(self.late_us[what]) < count:
                    self._news.clear()
                    await self._news.wait()

    def figures(self, what: str, expected: int) -> dict[str, float]:
        late = sorted(self.late_us[what]) or [0]
        shares = {f"p{share}_ms": late[len(late) * share // 100] / 1000 for share in (50, 95, 99)}
        return {"expected": expected, "seen": len(self.late_us[what]), **shares, "max_ms": late[-1] / 1000}


def _made_at_us(job_id: str) -> int:
    """A fire's job bears the tick in its id."""
    return int(job_id[:8] + job_id[9:13], 16) * 1000


def _job(**fields: Any) -> v1.JobSpec:
    defaults = {"id": new_id(), "type": "echo", "queue": "default", "payload": _PAYLOAD, "priority": 1}
    return v1.JobSpec(**{**defaults, **fields})


async def _submit(bus: Bus, jobs: Sequence[v1.JobSpec]) -> None:
    data = v1.SubmitJobs(jobs=jobs).SerializeToString()
    await bus.publish_durable(Publication(bus.subjects.submit("default"), data, uuid.uuid4().hex), deadline_s=30)


async def submit_delayed(bus: Bus, lateness: Lateness, jobs: int, begin_us: int, spread_us: int) -> None:
    """Jobs that are due at even distances from *begin_us* on."""
    room = asyncio.Semaphore(_IN_FLIGHT)

    async def submit(first: int) -> None:
        async with room:
            numbers = range(first, min(first + _BATCH, jobs))
            specs = [_job(scheduled_at_us=begin_us + number * spread_us // jobs) for number in numbers]
            lateness.due |= {spec.id: spec.scheduled_at_us for spec in specs}
            await _submit(bus, specs)

    await asyncio.gather(*(submit(first) for first in range(0, jobs, _BATCH)))


async def submit_others(bus: Bus, rate: int, fail_share: float, begin_us: int, end_us: int) -> int:
    """Jobs at a steady rate, some of which fail the first time; how many of these there were."""
    per_slice = rate // _SLICES_PER_S
    failing = round(per_slice * fail_share)
    fixed = v1.RetryPolicy(strategy=v1.RETRY_STRATEGY_FIXED, delay_us=_RETRY_DELAY_US, jitter=0)
    slices = 0
    while (at_us := begin_us + slices * SECOND // _SLICES_PER_S) < end_us:
        await asyncio.sleep(max(at_us - _now_us(), 0) / 1e6)
        jobs = [_job() for _ in range(per_slice - failing)]
        jobs += [_job(type="fail", payload=_FAILS_ONCE, retry=fixed) for _ in range(failing)]
        await _submit(bus, jobs)
        slices += 1
    return slices * failing


async def waiting_jobs(stack: Stack, bus: Bus, options: argparse.Namespace) -> dict[str, Any]:
    """The lateness of delayed and retried jobs."""
    lateness = Lateness()
    await lateness.listen(bus)
    begin_us = _now_us() + options.lead * SECOND
    spread_us = options.seconds * SECOND
    await submit_delayed(bus, lateness, options.jobs, begin_us, spread_us)
    early_s = (begin_us - _now_us()) / 1e6
    before = stack.cpu_s()
    failing = await submit_others(bus, options.rate, options.fail_share, max(begin_us, _now_us()), begin_us + spread_us)
    await lateness.wait_for("delayed", options.jobs)
    await lateness.wait_for("retries", failing)
    cpu = {name: round((spent - before[name]) / options.seconds, 3) for name, spent in stack.cpu_s().items()}
    return {
        "submitted_before_the_first_was_due_s": round(early_s, 1),
        "delayed": lateness.figures("delayed", options.jobs),
        "retries": lateness.figures("retries", failing),
        "cores_busy": cpu,
    }


async def schedules(stack: Stack, bus: Bus, options: argparse.Namespace) -> dict[str, Any]:
    """The lateness of thousands of fires at one moment, and what a tick costs the scheduler."""
    lateness = Lateness()
    await lateness.listen(bus)
    began = time.monotonic()
    first_s = time.time_ns() // 1_000_000_000 + options.lead_schedules
    first_s += -first_s % _TICK_EVERY_S
    room = asyncio.Semaphore(50)

    async def create(number: int) -> None:
        async with room:
            await bus.command("create_schedule", _schedule(number, first_s), v1.Schedule, 30)

    await asyncio.gather(*(create(number) for number in range(options.schedules)))
    created_s = time.monotonic() - began
    idle_s = await _scheduler_cpu(stack, until_s=first_s - 0.5)
    before_s = _scheduler_s(stack)
    await lateness.wait_for("fires", options.schedules * _TICKS)
    spent_s = _scheduler_s(stack) - before_s
    return {
        "schedules": options.schedules,
        "created_per_s": round(options.schedules / created_s),
        "fires": lateness.figures("fires", options.schedules * _TICKS),
        "scheduler_idle_share": idle_s,
        "scheduler_cpu_us_per_fire": round(spent_s * 1e6 / (options.schedules * _TICKS), 1),
        "scheduler_cpu_ms_per_tick": round(spent_s * 1e3 / _TICKS, 1),
    }


def _scheduler_s(stack: Stack) -> float:
    """CPU time of the scheduler so far; of all services, where they share one process."""
    spent = stack.cpu_s()
    return spent.get("scheduler", 0) or spent["services (one process)"]


async def _scheduler_cpu(stack: Stack, until_s: float) -> float:
    """The share of a core that the scheduler uses while nothing is due."""
    begin_s, before_s = time.time(), _scheduler_s(stack)
    await asyncio.sleep(max(until_s - begin_s, 0))
    return round((_scheduler_s(stack) - before_s) / max(time.time() - begin_s, 0.001), 4)


def _schedule(number: int, first_s: int) -> v1.Schedule:
    schedule_id = new_id()
    return v1.Schedule(
        id=schedule_id,
        name=f"bench {number}",
        cron_expr=f"*/{_TICK_EVERY_S} * * * * *",
        timezone=_ZONES[number % len(_ZONES)],
        job=v1.JobSpec(type="fired", queue="nobody", payload=_PAYLOAD, priority=1),
        starts_at_us=first_s * SECOND,
        ends_at_us=(first_s + (_TICKS - 1) * _TICK_EVERY_S) * SECOND,
    )


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    with running_stack(options.storage, options.concurrency) as stack:
        bus = await Bus.open(ServiceSettings.load(nats_url=stack.nats_url), "bench")
        found: dict[str, Any] = {"storage": options.storage}
        if options.jobs:
            found |= await waiting_jobs(stack, bus, options)
        if options.schedules:
            found |= await schedules(stack, bus, options)
        await bus.close()
    return found


def show(figures: dict[str, Any]) -> None:
    for name, value in figures.items():
        if isinstance(value, dict):
            print(f"  {name:<28} " + "   ".join(f"{key} {number:g}" for key, number in value.items()))
        else:
            print(f"  {name:<28} {value}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--storage", choices=["redis", "postgres", "memory"], default="redis")
    parser.add_argument("--jobs", type=int, default=100_000, help="delayed jobs (0: leave that part out)")
    parser.add_argument("--seconds", type=int, default=60, help="over which they become due")
    parser.add_argument("--lead", type=int, default=15, help="seconds to submit them in before the first is due")
    parser.add_argument("--rate", type=int, default=2_000, help="other jobs per second meanwhile")
    parser.add_argument("--fail-share", type=float, default=0.05, help="share of the others that fail once")
    parser.add_argument("--schedules", type=int, default=10_000, help="that fire together (0: leave that part out)")
    parser.add_argument("--lead-schedules", type=int, default=20, help="seconds to create them in")
    parser.add_argument("--concurrency", type=int, default=1_000, help="jobs that the worker runs at once")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = uvloop.run(measure(options))
    if options.json:
        print(json.dumps(figures))
    else:
        show(figures)


if __name__ == "__main__":
    main()
