"""A worker that knows nothing of GoTask but its gRPC services: what a worker in another language has to do.

    python examples/grpc_worker.py localhost:50051 --queues default,mail --concurrency 8

It needs grpcio, and the code that protoc makes of proto/gotask/v1. What it does, in order: claim jobs for free slots;
tell every few seconds which jobs it holds; stop those that were cancelled or lost; claim nothing while it is to drain;
report what came of each; and when it is asked to stop, hand back what it has not finished.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import time
import traceback
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import grpc

from gotask.v1 import job_pb2, worker_pb2
from gotask.v1.worker_service_pb2_grpc import WorkerServiceStub

HEARTBEAT_S = 3.0
CLAIM_WAIT_S = 20.0
PAUSE_S = 1.0

Handler = Callable[[Any], Awaitable[Any]]


async def echo(payload: Any) -> Any:
    return payload


async def sleep(payload: Any) -> Any:
    await asyncio.sleep(payload["seconds"])
    return "slept"


async def divide(payload: Any) -> Any:
    return payload["a"] / payload["b"]


HANDLERS: Mapping[str, Handler] = {"echo": echo, "sleep": sleep, "divide": divide}


@dataclass(eq=False)
class Held:
    """A job from its claim until its outcome is reported. The attempt number shows that it is ours."""

    spec: job_pb2.JobSpec
    attempt: int
    started_at_us: int
    task: "asyncio.Task[None] | None" = None
    stopped_as: job_pb2.Outcome.ValueType = job_pb2.OUTCOME_UNSPECIFIED


class Worker:
    """Runs *handlers* for jobs of *queues*, up to *concurrency* at once."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        handlers: Mapping[str, Handler],
        queues: Sequence[str],
        concurrency: int,
        grace_s: float,
    ) -> None:
        self._service = WorkerServiceStub(channel)
        self._handlers = handlers
        self._queues = queues
        self._concurrency = concurrency
        self._grace_s = grace_s
        self._id = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:4]}"
        self._started_at_us = now_us()
        self._held: dict[str, Held] = {}
        self._changed = asyncio.Condition()
        self._stopping = False
        self._draining = False

    async def run(self, stop: asyncio.Event) -> None:
        """Works until *stop* is set, and then for as long as its jobs take, but not longer than *grace_s* seconds."""
        claiming = asyncio.create_task(self._claim_for_ever())
        telling = [asyncio.create_task(loop()) for loop in (self._beat_for_ever, self._listen)]
        await stop.wait()
        self._stopping = True
        await self._withdraw()
        await asyncio.wait([claiming], timeout=PAUSE_S)
        claiming.cancel()
        if tasks := [held.task for held in self._held.values() if held.task]:
            await asyncio.wait(tasks, timeout=self._grace_s)
        await asyncio.gather(*(self._stop(held, job_pb2.OUTCOME_RETURNED) for held in list(self._held.values())))
        for task in telling:
            task.cancel()
        await self._beat()

    async def _claim_for_ever(self) -> None:
        while not self._stopping:
            async with self._changed:
                await self._changed.wait_for(lambda: not self._draining and len(self._held) < self._concurrency)
            request = worker_pb2.ClaimRequest(
                worker=self._id,
                queues=self._queues,
                capacity=self._concurrency - len(self._held),
                wait_us=round(CLAIM_WAIT_S * 1e6),
            )
            try:
                async for part in self._service.Claim(request):
                    for spec, attempt in zip(part.specs, part.attempts, strict=True):
                        held = self._held[spec.id] = Held(spec, attempt, now_us())
                        held.task = asyncio.create_task(self._run(held))
            except grpc.aio.AioRpcError as error:
                print(f"no jobs: {error.code().name}: {error.details()}", flush=True)
                await asyncio.sleep(PAUSE_S)

    async def _beat_for_ever(self) -> None:
        while True:
            try:
                await self._beat()
            except grpc.aio.AioRpcError as error:
                print(f"heartbeat not taken: {error.code().name}: {error.details()}", flush=True)
            await asyncio.sleep(HEARTBEAT_S)

    async def _beat(self) -> None:
        """Makes the leases last, and stops what is not ours any more."""
        held = list(self._held.values())
        reply = await self._service.Heartbeat(
            worker_pb2.Heartbeat(
                worker=worker_pb2.WorkerInfo(
                    id=self._id,
                    hostname=socket.gethostname(),
                    pid=os.getpid(),
                    queues=self._queues,
                    types=sorted(self._handlers),
                    concurrency=self._concurrency,
                    running=len(held),
                    started_at_us=self._started_at_us,
                    draining=self._draining or self._stopping,
                ),
                job_ids=[each.spec.id for each in held],
                attempts=[each.attempt for each in held],
                queues=[each.spec.queue for each in held],
            )
        )
        await self._stop_all(reply.cancelled, job_pb2.OUTCOME_CANCELLED)
        await self._stop_all(reply.lost, job_pb2.OUTCOME_LEASE_LOST)
        if reply.HasField("drain"):
            await self._drain(drain=reply.drain)

    async def _drain(self, *, drain: bool) -> None:
        """Claims nothing more, or claims again."""
        print("draining" if drain else "claiming again", flush=True)
        if drain:
            await self._withdraw()
        async with self._changed:
            self._draining = drain
            self._changed.notify_all()

    async def _withdraw(self) -> None:
        """Open claims are answered at once."""
        await self._service.Withdraw(worker_pb2.WorkerName(id=self._id))

    async def _listen(self) -> None:
        """Hears of cancellations at once. The heartbeat tells them, too, so this may fail."""
        while True:
            with contextlib.suppress(grpc.aio.AioRpcError):
                async for order in self._service.WatchCancellations(worker_pb2.WorkerName(id=self._id)):
                    await self._stop_all(order.job_ids, job_pb2.OUTCOME_CANCELLED)
            await asyncio.sleep(PAUSE_S)

    async def _stop_all(self, job_ids: Sequence[str], outcome: job_pb2.Outcome.ValueType) -> None:
        for job_id in job_ids:
            if job_id in self._held:
                await self._stop(self._held[job_id], outcome)

    async def _stop(self, held: Held, outcome: job_pb2.Outcome.ValueType) -> None:
        held.stopped_as = held.stopped_as or outcome
        if held.task is not None:
            held.task.cancel()
            await asyncio.wait([held.task])

    async def _run(self, held: Held) -> None:
        result = worker_pb2.JobResult(job_id=held.spec.id, queue=held.spec.queue, type=held.spec.type)
        result.attempt.attempt = held.attempt
        result.attempt.worker = self._id
        result.attempt.started_at_us = held.started_at_us
        try:
            async with asyncio.timeout(held.spec.timeout_us / 1e6):
                value = await self._handler(held.spec.type)(json.loads(held.spec.payload or b"null"))
            result.result = json.dumps(value).encode()
            result.attempt.outcome = job_pb2.OUTCOME_SUCCESS
        except asyncio.CancelledError:
            result.attempt.outcome = held.stopped_as
        except UnknownType as error:
            result.no_retry = True
            _fail(result, error)
        except Exception as error:
            _fail(result, error)
        result.attempt.finished_at_us = now_us()
        if held.stopped_as != job_pb2.OUTCOME_LEASE_LOST:
            await self._report(result)
        del self._held[held.spec.id]
        async with self._changed:
            self._changed.notify_all()

    def _handler(self, job_type: str) -> Handler:
        if job_type not in self._handlers:
            raise UnknownType(f"this worker has no handler for {job_type!r}; it knows {', '.join(self._handlers)}")
        return self._handlers[job_type]

    async def _report(self, result: worker_pb2.JobResult) -> None:
        """Says it until it is stored: a report counts once."""
        while True:
            try:
                await self._service.Report(worker_pb2.JobResults(worker=self._id, results=[result]))
            except grpc.aio.AioRpcError as error:
                print(f"outcome not taken: {error.code().name}: {error.details()}", flush=True)
                await asyncio.sleep(PAUSE_S)
            else:
                return


class UnknownType(Exception):
    """A job came whose type has no handler here."""


def _fail(result: worker_pb2.JobResult, error: Exception) -> None:
    result.attempt.outcome = job_pb2.OUTCOME_FAILURE
    name = "Timeout" if isinstance(error, TimeoutError) else type(error).__name__
    result.attempt.error.CopyFrom(
        job_pb2.JobError(type=name, message=str(error), traceback="".join(traceback.format_exception(error))[-8_000:])
    )


def now_us() -> int:
    return time.time_ns() // 1000


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", help="of the gateway's gRPC services: host:port")
    parser.add_argument("--queues", default="default", help="separated by commas")
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--grace", type=float, default=10, help="seconds that running jobs may take after a stop")
    options = parser.parse_args()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with grpc.aio.insecure_channel(options.address) as channel:
        await Worker(channel, HANDLERS, options.queues.split(","), options.concurrency, options.grace).run(stop)


if __name__ == "__main__":
    asyncio.run(main())
