"""gotask.v1.QueueService."""

from google.protobuf.empty_pb2 import Empty

from gotask import v1
from gotask.gateway.access.caller import Caller
from gotask.gateway.dead_letters import DeadLetters
from gotask.gateway.grpc.pages import page_size, shortened
from gotask.gateway.grpc.queue_settings import queue_of
from gotask.gateway.queues import Queues
from gotask.jobs.validation import InvalidJob
from gotask.service.clock import Clock


class QueueService:
    """Each method answers the call of its name."""

    def __init__(self, clock: Clock, queues: Queues, dead_letters: DeadLetters) -> None:
        self._clock = clock
        self._queues = queues
        self._dead_letters = dead_letters

    async def create_queue(self, caller: Caller, request: v1.QueueSettings) -> v1.Queue:
        return await self._queues.create(caller, queue_of(request, self._clock.now_us()))

    async def list_queues(self, caller: Caller, _request: Empty) -> v1.QueueList:
        return v1.QueueList(queues=await self._queues.list_queues(caller))

    async def get_queue(self, caller: Caller, request: v1.QueueName) -> v1.Queue:
        return await self._queues.get(caller, request.name)

    async def update_queue(self, caller: Caller, request: v1.QueueSettings) -> v1.Queue:
        return await self._queues.replace(caller, queue_of(request, self._clock.now_us()))

    async def delete_queue(self, caller: Caller, request: v1.QueueName) -> Empty:
        await self._queues.delete(caller, request.name)
        return Empty()

    async def pause_queue(self, caller: Caller, request: v1.QueueName) -> v1.Queue:
        return await self._queues.pause(caller, request.name)

    async def resume_queue(self, caller: Caller, request: v1.QueueName) -> v1.Queue:
        return await self._queues.resume(caller, request.name)

    async def purge_queue(self, caller: Caller, request: v1.QueueName) -> v1.QueuePurged:
        return await self._queues.purge(caller, request.name)

    async def list_dead_jobs(self, caller: Caller, request: v1.ListDeadJobsRequest) -> v1.ListJobsResponse:
        wanted = v1.DeadLetters(queue=request.queue, type=request.type, error_type=request.error_type)
        page = await self._dead_letters.list_dead(caller, wanted, request.cursor, page_size(request.limit))
        return v1.ListJobsResponse(jobs=shortened(page.jobs), next_cursor=page.next_cursor)

    async def retry_dead_jobs(self, caller: Caller, request: v1.DeadLetters) -> v1.DeadJobsChanged:
        _refuse(request, "cursor")
        return await self._dead_letters.retry(caller, request)

    async def purge_dead_jobs(self, caller: Caller, request: v1.DeadLetters) -> v1.DeadJobsChanged:
        _refuse(request, "ids", "cursor")
        return await self._dead_letters.purge(caller, request)

    async def get_queue_stats(self, caller: Caller, request: v1.QueueName) -> v1.QueueStats:
        return (await self._queues.stats(caller, request.name)).figures


def _refuse(request: v1.DeadLetters, *fields: str) -> None:
    for field in fields:
        if getattr(request, field):
            raise InvalidJob(field, "must not be set in this call")
