"""A world with a clock that the test moves, schedulers that crash anywhere, and a bus that repeats and reorders."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterable
from typing import Any

from gotask import v1
from gotask.jobs.states import SUCCESS
from gotask.scheduler.firing import Firing
from gotask.scheduler.submitting import FiredJob
from gotask.storage.contract import Finish, InsertStatus, Share, Slot, Storage

SECOND = 1_000_000
MISSED_AFTER_US = 60 * SECOND
QUEUE = "default"
_EVERYTHING = 1_000


class Crashed(Exception):
    """The scheduler is no more."""


class MovingClock:
    """Each scheduler's clock is off by *skew_us*."""

    def __init__(self, now_us: int, skew_us: int = 0, truth: "MovingClock | None" = None) -> None:
        self.true_us = now_us
        self._skew_us = skew_us
        self._truth = truth or self

    def now_us(self) -> int:
        return self._truth.true_us + self._skew_us


class CrashingStorage:
    """A storage whose caller dies now and then, before a call or after it; others get their turn in between."""

    def __init__(self, storage: Storage, chance: random.Random, share: float) -> None:
        self._storage = storage
        self._chance = chance
        self._share = share

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._storage, name)

        async def perhaps(*args: Any) -> Any:
            await self._moment()
            found = await call(*args)
            await self._moment()
            return found

        return perhaps

    async def _moment(self) -> None:
        await asyncio.sleep(0)
        if self._chance.random() < self._share:
            raise Crashed


class World:
    """Three schedulers, what they have submitted, and a queue-manager that stores it when the test says so."""

    def __init__(self, storage: Storage, now_us: int, seed: int) -> None:
        self.storage = storage
        self.clock = MovingClock(now_us)
        self.chance = random.Random(seed)
        self.created: Counter[str] = Counter()
        self.submitted = 0
        self.crashes = 0
        self._bus: list[list[v1.JobSpec]] = []

    async def turn(self, crash_share: float) -> None:
        """Every scheduler looks once, all at the same time."""
        await asyncio.gather(*(self._look(number, crash_share) for number in range(3)))

    async def _look(self, number: int, crash_share: float) -> None:
        storage: Any = CrashingStorage(self.storage, self.chance, crash_share)

        async def submit(jobs: Iterable[FiredJob]) -> None:
            batch = [job.spec for job in jobs]
            if batch and self.chance.random() >= crash_share:
                self.submitted += len(batch)
                self._bus.append(batch)
            if self.chance.random() < crash_share:
                raise Crashed

        clock = MovingClock(0, skew_us=(number - 1) * SECOND, truth=self.clock)
        firing = Firing(storage, clock, submit, MISSED_AFTER_US)
        try:
            while await firing.fire_due():
                pass
            while await firing.offer_open():
                pass
        except Crashed:
            self.crashes += 1

    async def deliver(self, repeat_share: float = 0) -> None:
        """The queue-manager stores what is on the bus, in any order; some messages come again, now or later."""
        self.chance.shuffle(self._bus)
        messages, self._bus = self._bus, []
        for specs in messages:
            if self.chance.random() < repeat_share:
                self._bus.append(specs)
            for spec, inserted in zip(specs, await self.storage.insert_jobs(specs, self.clock.now_us()), strict=True):
                self.created[spec.id] += inserted.status is InsertStatus.CREATED

    async def run_and_forget_jobs(self) -> None:
        """All pending jobs end in success, and are forgotten at once."""
        now_us = self.clock.now_us()
        slot = Slot("w", _EVERYTHING, [Share(QUEUE, _EVERYTHING)])
        claims = await self.storage.claim([slot], now_us, now_us + SECOND)
        jobs = claims.jobs[0]
        if jobs:
            await self.storage.finish(
                [Finish(job.job_id, job.queue, job.attempt, SUCCESS, b"") for job in jobs], now_us
            )
            await self.storage.delete([job.job_id for job in jobs])
