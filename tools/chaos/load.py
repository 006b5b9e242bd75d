"""Submits jobs through every door, again and again until each is accepted, and cancels some of them."""

import asyncio
import random
from collections import Counter
from collections.abc import Coroutine, Sequence
from typing import Any

from gotask.sdk import Client
from gotask.sdk.client.handle import JobHandle
from gotask.sdk.errors import GoTaskError, NotFound, Refused, SubmitFailed
from tools.chaos.orders import Order, Orders

_BATCH = 25
_PAUSE_S = 0.2


class Load:
    """So many jobs per second, in small batches; a batch that is held up does not hold up the next."""

    def __init__(self, doors: Sequence[Client], orders: Orders, per_second: float) -> None:
        self._doors = doors
        self._orders = orders
        self._every_s = _BATCH / per_second
        self._tasks: set[asyncio.Task[None]] = set()
        self.answers: Counter[str] = Counter()
        """How often submissions were answered with what: created, existed, accepted, or the error's class."""

    async def run(self, seconds: float) -> None:
        """Submits for so many seconds."""
        loop = asyncio.get_running_loop()
        began = due = loop.time()
        while due < began + seconds:
            await asyncio.sleep(max(due - loop.time(), 0))
            due += self._every_s
            batch = self._orders.take(_BATCH)
            door = random.randrange(len(self._doors))
            self._spawn(self._submit(batch, door))
            if doubled := [order for order in batch if order.twice]:
                self._spawn(self._submit(doubled, door + 1))

    async def finish(self, deadline_s: float) -> None:
        """Returns when every job was accepted and every cancel answered; TimeoutError after *deadline_s* seconds."""
        async with asyncio.timeout(deadline_s):
            while self._tasks:
                await asyncio.gather(*self._tasks)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _submit(self, orders: list[Order], door: int) -> None:
        """Knocks at one door after another."""
        while orders:
            client = self._doors[door % len(self._doors)]
            outcomes = await _outcomes(client, orders)
            taken = [self._note(order, outcome) for order, outcome in zip(orders, outcomes, strict=True)]
            for order, job_id in zip(orders, taken, strict=True):
                if order.cancel and job_id:
                    self._spawn(self._cancel(order, job_id))
            orders = [order for order, job_id in zip(orders, taken, strict=True) if not job_id]
            door += 1
            if orders:
                await asyncio.sleep(_PAUSE_S)

    def _note(self, order: Order, outcome: JobHandle[Any] | GoTaskError) -> str:
        """The job's id, if it was accepted."""
        if isinstance(outcome, GoTaskError):
            self.answers[type(outcome).__name__] += 1
            return ""
        self.answers[outcome.submission] += 1
        order.accepted += 1
        if outcome.submission != "accepted":
            order.stored_as.add(outcome.id)
        return outcome.id

    async def _cancel(self, order: Order, job_id: str) -> None:
        """Until it is answered. NotFound is an answer, too: of two submissions the other one was stored."""
        while True:
            client = random.choice(self._doors)
            try:
                order.cancelled_as = (await client.cancel(job_id)).status
            except (Refused, NotFound):
                return
            except GoTaskError:
                await asyncio.sleep(_PAUSE_S)
            else:
                return


async def _outcomes(client: Client, orders: Sequence[Order]) -> Sequence[JobHandle[Any] | GoTaskError]:
    try:
        return await client.submit_many([order.new_job() for order in orders])
    except SubmitFailed as error:
        return error.outcomes
    except GoTaskError as error:
        return [error] * len(orders)
