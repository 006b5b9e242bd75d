"""Jobs of fires on their way to a queue-manager, and what it says of those it does not store."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import structlog
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg

from gotask import v1
from gotask.bus.bus import Bus, Publication
from gotask.bus.errors import BusError, MessageTooLarge
from gotask.jobs.ids import new_id
from gotask.service.tasks import stop_task

_log = structlog.get_logger("gotask.scheduler")

_MAX_JOBS = 500
_ENVELOPE_BYTES = 512
_FIELD_BYTES = 8
_REMEMBERED = 1_000
_REPLY_WITHIN_US = 3600 * 1_000_000
_MAX_UNPUBLISHED = 10_000


class FiredJob(NamedTuple):
    fire: v1.Fire
    spec: v1.JobSpec


class Refusal(NamedTuple):
    """Why the job of a fire was not stored."""

    fired: FiredJob
    reason: str


Submit = Callable[[Iterable[FiredJob]], Awaitable[None]]


class Submitter:
    """Publishes jobs to the SUBMIT stream.

    What cannot be published now is tried again when the broker is back; its fires are open, and are offered again to
    any scheduler in any case. Refusals go to *on_refused*.
    """

    def __init__(self, bus: Bus, on_refused: Callable[[Sequence[Refusal]], Awaitable[None]]) -> None:
        self._bus = bus
        self._on_refused = on_refused
        self._inbox = bus.client.new_inbox()
        self._unanswered: OrderedDict[str, list[FiredJob]] = OrderedDict()
        self._unpublished: list[FiredJob] = []
        self._repeating: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._bus.subscribe(self._inbox, self._on_reply)
        self._bus.on_reconnect(self._repeat)

    async def stop(self) -> None:
        await stop_task(self._repeating)

    def _repeat(self) -> None:
        jobs, self._unpublished = self._unpublished, []
        if jobs:
            self._repeating = asyncio.create_task(self.submit(jobs))

    async def submit(self, jobs: Iterable[FiredJob]) -> None:
        """Returns when the broker has the jobs on disk, or when it cannot take them."""
        await asyncio.gather(*(self._publish(batch) for batch in self._batches(jobs)))

    def _batches(self, jobs: Iterable[FiredJob]) -> Iterator[list[FiredJob]]:
        room = self._bus.max_payload - _ENVELOPE_BYTES
        batch: list[FiredJob] = []
        size = 0
        for job in jobs:
            job_size = job.spec.ByteSize() + _FIELD_BYTES
            if batch and (size + job_size > room or len(batch) == _MAX_JOBS):
                yield batch
                batch, size = [], 0
            batch.append(job)
            size += job_size
        if batch:
            yield batch

    async def _publish(self, batch: list[FiredJob]) -> None:
        request_id = new_id()
        request = v1.SubmitJobs(
            jobs=[job.spec for job in batch],
            reply_to=self._inbox,
            request_id=request_id,
            reply_within_us=_REPLY_WITHIN_US,
        )
        self._remember(request_id, batch)
        subject = self._bus.subjects.submit_batch(job.spec.queue for job in batch)
        publication = Publication(subject, request.SerializeToString(), request_id)
        try:
            await self._bus.publish_durable(publication)
        except MessageTooLarge as error:
            await self._on_refused([Refusal(job, str(error)) for job in batch])
        except BusError as error:
            _log.warning("fires wait for the broker", fires=len(batch), error=str(error))
            self._unpublished = [*self._unpublished, *batch][:_MAX_UNPUBLISHED]

    def _remember(self, request_id: str, batch: list[FiredJob]) -> None:
        """A reply may come late, or never: only the last ones are waited for."""
        self._unanswered[request_id] = batch
        if len(self._unanswered) > _REMEMBERED:
            self._unanswered.popitem(last=False)

    async def _on_reply(self, message: Msg) -> None:
        try:
            reply = v1.SubmitReply.FromString(message.data)
        except DecodeError as error:
            _log.warning("reply not understood", error=str(error))
            return
        batch = self._unanswered.pop(reply.request_id, [])
        refused = [
            Refusal(job, result.status.message)
            for job, result in zip(batch, reply.results, strict=False)
            if result.status.code
        ]
        if refused:
            await self._on_refused(refused)
