"""gotask.v1.WorkerService."""

from collections.abc import AsyncGenerator

from google.protobuf.empty_pb2 import Empty

from gotask import v1
from gotask.gateway.access.caller import Caller
from gotask.gateway.workers import Workers


class WorkerService:
    """Each method answers the call of its name."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def claim(self, caller: Caller, request: v1.ClaimRequest) -> AsyncGenerator[v1.ClaimedJobs, None]:
        return self._workers.claim(caller, request)

    async def withdraw(self, _caller: Caller, request: v1.WorkerName) -> Empty:
        await self._workers.withdraw(request.id)
        return Empty()

    async def heartbeat(self, caller: Caller, request: v1.Heartbeat) -> v1.HeartbeatReply:
        return await self._workers.heartbeat(caller, request)

    async def report(self, caller: Caller, request: v1.JobResults) -> Empty:
        await self._workers.report(caller, request)
        return Empty()

    def watch_cancellations(self, _caller: Caller, request: v1.WorkerName) -> AsyncGenerator[v1.CancelJobs, None]:
        return self._workers.cancellations(request.id)

    async def drain_worker(self, caller: Caller, request: v1.WorkerName) -> v1.WorkerInfo:
        return await self._workers.drain(caller, request.id)

    async def resume_worker(self, caller: Caller, request: v1.WorkerName) -> v1.WorkerInfo:
        return await self._workers.resume(caller, request.id)

    async def list_workers(self, caller: Caller, _request: Empty) -> v1.WorkerList:
        return v1.WorkerList(workers=await self._workers.list_workers(caller))
