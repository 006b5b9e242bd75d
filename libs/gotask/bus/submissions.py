"""Jobs on their way to a queue-manager: many callers, one message, each gets its own answer."""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple

import structlog
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg

from gotask import v1
from gotask.bus.bus import Bus, Publication
from gotask.bus.errors import BusUnavailable, Code, CommandError, MessageTooLarge, StreamFull
from gotask.bus.group_commit import GroupCommit
from gotask.jobs.ids import new_id

if TYPE_CHECKING:
    from nats.aio.subscription import Subscription

_log = structlog.get_logger("gotask.bus")

_MAX_JOBS = 1_000
_IN_FLIGHT = 2
_ENVELOPE_BYTES = 512
_FIELD_BYTES = 8

Answer = v1.SubmitResult | CommandError | None
"""What the queue-manager did with a job; why it never reached one; or None: it is safe in the stream, and nobody has
answered for it yet."""


class _Parcel(NamedTuple):
    spec: v1.JobSpec
    answer: "asyncio.Future[Answer]"


class Submissions:
    """Publishes jobs to the SUBMIT stream and hands the replies to whoever submitted them.

    A message is on its way for as long as the broker takes to store it. The next one does not wait for the
    queue-manager's reply to the last.
    """

    def __init__(self, bus: Bus, publish_timeout_s: float, reply_timeout_s: float, most_under_way: int) -> None:
        """
        :param most_under_way: jobs that may wait for their answer at once; others are refused.
        """
        self._bus = bus
        self._publish_timeout_s = publish_timeout_s
        self._reply_timeout_s = reply_timeout_s
        self._most_under_way = most_under_way
        self._under_way = 0
        self._inbox = bus.client.new_inbox()
        self._subscription: Subscription | None = None
        self._unanswered: dict[str, list[_Parcel]] = {}
        self._commits = GroupCommit(
            self._flush,
            max_items=_MAX_JOBS,
            max_bytes=bus.max_payload - _ENVELOPE_BYTES,
            size_of=lambda parcel: parcel.spec.ByteSize() + _FIELD_BYTES,
            concurrency=_IN_FLIGHT,
            sizes=bus.measures.batches["submissions"],
        )

    async def start(self) -> None:
        self._subscription = await self._bus.client.subscribe(self._inbox, cb=self._on_reply)

    async def stop(self) -> None:
        """Returns when all that was submitted has been published, or has failed."""
        await self._commits.drain()
        if self._subscription is not None and not self._bus.client.is_closed:
            await self._subscription.unsubscribe()

    async def submit(self, specs: Sequence[v1.JobSpec]) -> list[Answer]:
        """One answer per job, in order."""
        if self._under_way + len(specs) > self._most_under_way:
            reason = f"{self._under_way} jobs are being submitted by this process; nothing was stored"
            return [CommandError(Code.UNAVAILABLE, reason)] * len(specs)
        self._under_way += len(specs)
        try:
            loop = asyncio.get_running_loop()
            parcels = [_Parcel(spec, loop.create_future()) for spec in specs]
            for parcel in parcels:
                # What comes of publishing reaches the parcel's own future, with the reply.
                self._commits.submit(parcel)
            return [await parcel.answer for parcel in parcels]
        finally:
            self._under_way -= len(specs)

    async def _flush(self, parcels: list[_Parcel]) -> list[None]:
        request_id = new_id()
        specs = [parcel.spec for parcel in parcels]
        request = v1.SubmitJobs(
            jobs=specs,
            reply_to=self._inbox,
            request_id=request_id,
            reply_within_us=round(self._reply_timeout_s * 1e6),
        )
        self._unanswered[request_id] = parcels
        try:
            subject = self._bus.subjects.submit_batch(spec.queue for spec in specs)
            publication = Publication(subject, request.SerializeToString(), request_id)
            await self._bus.publish_durable(publication, self._publish_timeout_s)
        except Exception as error:
            self._settle(request_id, repeat(_refusal(error)))
        else:
            asyncio.get_running_loop().call_later(self._reply_timeout_s, self._settle, request_id, repeat(None))
        return [None] * len(parcels)

    async def _on_reply(self, message: Msg) -> None:
        try:
            reply = v1.SubmitReply.FromString(message.data)
        except DecodeError as error:
            _log.warning("reply not understood", error=str(error))
            return
        if (parcels := self._unanswered.get(reply.request_id)) is not None:
            if len(parcels) == len(reply.results):
                self._settle(reply.request_id, reply.results)
            else:
                _log.warning("reply not used", jobs=len(parcels), results=len(reply.results))
        elif refused := [result.status.message for result in reply.results if result.status.code]:
            _log.warning("jobs refused after they had been answered for", jobs=len(refused), first=refused[0])

    def _settle(self, request_id: str, answers: Iterable[Answer]) -> None:
        """The first to call this for a request decides: a reply, a failure, or the time that is over."""
        # Not strict: one refusal may repeat for ever.
        for parcel, answer in zip(self._unanswered.pop(request_id, ()), answers, strict=False):
            if not parcel.answer.done():
                parcel.answer.set_result(answer)


def _refusal(error: Exception) -> CommandError:
    if isinstance(error, MessageTooLarge):
        return CommandError(Code.INVALID_ARGUMENT, f"the job is too large for the broker: {error}", "payload")
    if isinstance(error, StreamFull):
        return CommandError(Code.UNAVAILABLE, "too many submissions wait to be applied; nothing was stored")
    if not isinstance(error, BusUnavailable):
        _log.error("submissions not published", exc_info=error)
        return CommandError(Code.INTERNAL, "the job could not be published")
    return CommandError(
        Code.UNAVAILABLE,
        "the broker did not confirm the job, which may or may not have been stored; "
        "repeat it with an idempotency key to be sure that it runs once",
    )
