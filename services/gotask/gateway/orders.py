"""Orders to drain and to resume, for workers behind the gateway: it hears them in their place."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError
from nats.aio.msg import Msg

from gotask import v1
from gotask.bus.bus import Bus
from gotask.gateway.claims import Claims

_REMEMBERED_S = 60.0


@dataclass(slots=True)
class _Worker:
    """*told* is what it last told of itself, None where others serve it; *drain* what was ordered and is to last."""

    noted_at: float
    told: v1.WorkerInfo | None = None
    drain: bool | None = None
    lifted: asyncio.Event = field(default_factory=asyncio.Event)

    def lift(self) -> None:
        """Ends what its claims wait for."""
        self.lifted.set()
        self.lifted = asyncio.Event()


class Orders:
    """A worker that drains gets no jobs here, until it is to resume, is started anew, or was silent for a minute.

    Its heartbeats tell it, and then it remembers by itself. All gateways hear all orders, since a worker's calls come
    through any of them; those that have heard from it answer.
    """

    def __init__(self, bus: Bus, claims: Claims) -> None:
        self._bus = bus
        self._claims = claims
        self._workers: dict[str, _Worker] = {}  # those noted last at the end

    async def start(self) -> None:
        await self._bus.subscribe(self._bus.subjects.any_drain, self._on_drain)
        await self._bus.subscribe(self._bus.subjects.any_resume, self._on_resume)

    def stop(self) -> None:
        """Answers the claims that are withheld."""
        for worker in self._workers.values():
            worker.lift()
        self._workers.clear()

    def heard(self, told: v1.WorkerInfo) -> bool | None:
        """What a worker that tells this of itself is to be told: to drain, not to drain, or nothing."""
        worker = self._noted(told.id)
        if worker.told is not None and worker.told.started_at_us != told.started_at_us:
            worker.drain = None
            worker.lift()
        worker.told = told
        if worker.drain is False and not told.draining:
            worker.drain = None
        return None if worker.drain == told.draining else worker.drain

    async def withheld(self, worker_id: str, wait_s: float) -> bool:
        """Whether a claim of that worker is to be answered without jobs: at once when an order is lifted, else after
        *wait_s* seconds."""
        worker = self._workers.get(worker_id)
        if worker is None or not worker.drain:
            return False
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(worker.lifted.wait(), wait_s)
        return True

    async def _on_drain(self, message: Msg) -> None:
        await self._on_order(message, self._drain)

    async def _on_resume(self, message: Msg) -> None:
        await self._on_order(message, self._resume)

    async def _on_order(self, message: Msg, follow: Callable[[_Worker], Awaitable[None]]) -> None:
        with contextlib.suppress(DecodeError):
            worker = self._noted(v1.WorkerName.FromString(message.data).id)
            await follow(worker)
            if worker.told is not None:
                told = v1.WorkerInfo()
                told.CopyFrom(worker.told)
                told.draining = bool(worker.drain)
                await self._bus.publish(
                    message.reply, v1.CommandReply(body=told.SerializeToString()).SerializeToString()
                )

    async def _drain(self, worker: _Worker) -> None:
        worker.drain = True
        if worker.told is not None:
            await self._claims.withdraw(worker.told.id)

    async def _resume(self, worker: _Worker) -> None:
        worker.drain = False
        worker.lift()

    def _noted(self, worker_id: str) -> _Worker:
        """Forgets, on the way, who was silent for long."""
        now = time.monotonic()
        worker = self._workers.pop(worker_id, None) or _Worker(now)
        worker.noted_at = now
        self._workers[worker_id] = worker
        while (first := next(iter(self._workers.values()))).noted_at < now - _REMEMBERED_S:
            first.lift()
            del self._workers[next(iter(self._workers))]
        return worker
