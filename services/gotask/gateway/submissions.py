"""Jobs on their way to a queue-manager: many callers, one message, each gets its own answer."""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

import structlog
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg

from gotask import v1
from gotask.bus.bus import Bus, Publication
from gotask.bus.errors import BusError, Code, CommandError, MessageTooLarge, StreamFull
from gotask.bus.group_commit import GroupCommit
from gotask.jobs.ids import new_id

if TYPE_CHECKING:
    from nats.aio.subscription import Subscription

_log = structlog.get_logger("gotask.gateway")

_MAX_JOBS = 1_000
_IN_FLIGHT = 2
_ENVELOPE_BYTES = 512
_FIELD_BYTES = 8

Answer = v1.SubmitResult | CommandError | None
"""What the queue-manager did with a job; why it never reached one; or None: it is safe in the stream, and nobody has
answered for it yet."""


class Submissions:
    """Publishes jobs to the SUBMIT stream and hands the replies to whoever submitted them.

    A message is on its way for as long as the broker takes to store it. The next one does not wait for the
    queue-manager's reply to the last.
    """

    def __init__(self, bus: Bus, publish_timeout_s: float, reply_timeout_s: float) -> None:
        self._bus = bus
        self._publish_timeout_s = publish_timeout_s
        self._reply_timeout_s = reply_timeout_s
        self._inbox = bus.client.new_inbox()
        self._subscription: Subscription | None = None
        self._flights: dict[str, _Flight] = {}
        self._commits = GroupCommit(
            self._flush,
            max_items=_MAX_JOBS,
            max_bytes=bus.max_payload - _ENVELOPE_BYTES,
            size_of=lambda spec: spec.ByteSize() + _FIELD_BYTES,
            concurrency=_IN_FLIGHT,
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
        published = [self._commits.submit(spec) for spec in specs]
        return [await (await answer) for answer in published]

    async def _flush(self, specs: list[v1.JobSpec]) -> Sequence[asyncio.Future[Answer]]:
        request_id = new_id()
        request = v1.SubmitJobs(jobs=specs, reply_to=self._inbox, request_id=request_id)
        flight = self._flights[request_id] = _Flight(len(specs))
        try:
            await self._bus.publish_durable(
                Publication(self._subject(specs), request.SerializeToString(), request_id), self._publish_timeout_s
            )
        except BusError as error:
            self._flights.pop(request_id, None)
            flight.fail(_refusal(error))
        else:
            if request_id in self._flights:
                flight.timer = asyncio.get_running_loop().call_later(self._reply_timeout_s, self._give_up, request_id)
        return flight.answers

    def _subject(self, specs: list[v1.JobSpec]) -> str:
        queue = specs[0].queue
        if all(spec.queue == queue for spec in specs):
            return self._bus.subjects.submit(queue)
        return self._bus.subjects.submit_many

    def _give_up(self, request_id: str) -> None:
        if flight := self._flights.pop(request_id, None):
            flight.settle(())

    async def _on_reply(self, message: Msg) -> None:
        try:
            reply = v1.SubmitReply.FromString(message.data)
        except DecodeError as error:
            _log.warning("reply not understood", error=str(error))
            return
        if flight := self._flights.pop(reply.request_id, None):
            flight.settle(reply.results)


class _Flight:
    """The jobs of one message, and what becomes of them."""

    def __init__(self, jobs: int) -> None:
        loop = asyncio.get_running_loop()
        self.answers: list[asyncio.Future[Answer]] = [loop.create_future() for _ in range(jobs)]
        self.timer: asyncio.TimerHandle | None = None

    def settle(self, results: Iterable[v1.SubmitResult]) -> None:
        """Answers with *results*; None for jobs that have none."""
        if self.timer is not None:
            self.timer.cancel()
        for answer, result in zip_longest(self.answers, results):
            if answer is not None and not answer.done():
                answer.set_result(result)

    def fail(self, error: CommandError) -> None:
        for answer in self.answers:
            if not answer.done():
                answer.set_result(error)


def _refusal(error: BusError) -> CommandError:
    if isinstance(error, MessageTooLarge):
        return CommandError(Code.INVALID_ARGUMENT, f"the job is too large for the broker: {error}", "payload")
    if isinstance(error, StreamFull):
        return CommandError(Code.UNAVAILABLE, "too many submissions wait to be applied; nothing was stored")
    return CommandError(
        Code.UNAVAILABLE,
        "the broker did not confirm the job, which may or may not have been stored; "
        "repeat it with an idempotency key to be sure that it runs once",
    )
