"""One run: jobs are submitted while processes are struck, and all is left to settle."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from gotask.sdk import Client
from gotask.sdk.client.job import Job
from gotask.sdk.errors import GoTaskError
from tests.support.waiting import wait_until
from tools.chaos.faults import Fault, Kind, draw
from tools.chaos.fleet import Fleet, Part
from tools.chaos.load import Load
from tools.chaos.orders import NARROW_QUEUE, NARROW_WORKERS, QUEUE, Orders
from tools.chaos.verdict import Verdict, judge

_LEASE = "3s"
_SETTLE_S = 120
_TOLD_S = 10
_REVIVE_EVERY_S = 0.5
_AT_ONCE = 200
_FROM_THE_BEGINNING = "0"


@dataclass(frozen=True)
class Plan:
    """For how many seconds jobs are submitted, *rate* of them each second, and on average how many seconds pass from
    one fault to the next."""

    seed: int
    seconds: float
    rate: float
    every: float


class Run:
    """A run on a fleet that is up. *tell* hears of each fault."""

    def __init__(self, fleet: Fleet, plan: Plan, tell: Callable[[Fault], None]) -> None:
        self._fleet = fleet
        self._plan = plan
        self._tell = tell
        self._orders = Orders(plan.seed)
        self._in_trouble: set[str] = set()
        self._successes: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self.settled_s = 0.0

    async def go(self) -> Verdict:
        """What became of all jobs."""
        async with contextlib.AsyncExitStack() as stack:
            doors = [await stack.enter_async_context(Client(url)) for url in self._fleet.doors]
            nats = doors[0]
            await nats.queues.create(QUEUE, lease=_LEASE)
            await nats.queues.create(NARROW_QUEUE, lease=_LEASE, max_workers=NARROW_WORKERS)
            await stack.enter_async_context(_in_background(self._listen(nats)))
            await stack.enter_async_context(_in_background(self._revive()))
            load = Load(doors, self._orders, self._plan.rate)
            self.answers = load.answers
            await asyncio.gather(load.run(self._plan.seconds), self._break())
            began = time.monotonic()
            with contextlib.suppress(TimeoutError):
                await load.finish(_SETTLE_S)
            jobs = await self._settled(nats)
            self.settled_s = time.monotonic() - began
            return judge(self._orders.given, jobs, self._successes)

    async def _break(self) -> None:
        began = time.monotonic()
        plan = self._plan
        repairs = []
        for fault in draw(plan.seed, self._fleet.victims, plan.seconds, plan.every):
            await asyncio.sleep(max(began + fault.at_s - time.monotonic(), 0))
            repairs.append(asyncio.create_task(self._inflict(fault)))
        await asyncio.gather(*repairs)

    async def _inflict(self, fault: Fault) -> None:
        """What is struck while it is away already is left alone."""
        if fault.victim in self._in_trouble:
            return
        part = self._fleet.parts[fault.victim]
        kind = fault.kind if self._fleet.may_end(fault.victim) else Kind.PAUSE
        self._in_trouble.add(fault.victim)
        self.faults[f"{kind.value} {fault.victim.rstrip('-123')}"] += 1
        self._tell(fault)
        try:
            await asyncio.to_thread(_strike, part, kind)
            await asyncio.sleep(fault.for_s)
        finally:
            await asyncio.to_thread(part.go_on if kind is Kind.PAUSE else part.start)
            self._in_trouble.discard(fault.victim)

    async def _revive(self) -> None:
        while True:
            await asyncio.sleep(_REVIVE_EVERY_S)
            for name, part in self._fleet.parts.items():
                if name not in self._in_trouble:
                    part.revive()

    async def _listen(self, client: Client) -> None:
        """Counts the successes that the recorded events tell."""
        cursor = _FROM_THE_BEGINNING
        while True:
            with contextlib.suppress(GoTaskError):
                async for event in client.events(queues=[QUEUE, NARROW_QUEUE], kinds=["succeeded"], cursor=cursor):
                    self._successes[event.job_id] += 1
                    cursor = event.cursor

    async def _settled(self, client: Client) -> list[Job]:
        """All jobs, once they have ended and everybody was told; or as they are when that takes too long."""

        async def all_ended() -> bool:
            with contextlib.suppress(GoTaskError):
                stats = await client.queues.all_stats()
                return not any(each.pending_jobs + each.running_jobs + each.scheduled + each.retrying for each in stats)
            return False

        with contextlib.suppress(AssertionError):
            await wait_until(all_ended, "all jobs have ended", _SETTLE_S)
        jobs = await _all_jobs(client)
        successes = {job.id for job in jobs if job.succeeded}
        with contextlib.suppress(AssertionError):
            await wait_until(lambda: successes <= self._successes.keys(), "all successes were told", _TOLD_S)
        return jobs


def _strike(part: Part, kind: Kind) -> None:
    if kind is Kind.KILL:
        part.kill()
    elif kind is Kind.PAUSE:
        part.pause()
    else:
        part.stop()


@contextlib.asynccontextmanager
async def _in_background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _all_jobs(client: Client) -> list[Job]:
    """With their histories."""
    ids = [job.id async for job in client.iterate()]
    jobs: list[Job] = []
    for begin in range(0, len(ids), _AT_ONCE):
        jobs += await asyncio.gather(*map(client.get, ids[begin : begin + _AT_ONCE]))
    return jobs
