"""The batch consumer: take what has come, apply it together, publish what follows, acknowledge last."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

import nats.errors
import structlog
from nats.aio.msg import Msg

from gotask import v1
from gotask.bus.bus import Bus, Publication
from gotask.bus.errors import BusError
from gotask.bus.pull import Puller
from gotask.bus.streams import ACK_WAIT_S, ensure_consumer
from gotask.bus.subjects import Stream

_log = structlog.get_logger("gotask.bus")

_MAX_FAILURES = 5
_FAILURE_DELAY_S = 1.0
_ACK_TIMEOUT_S = 5.0
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 2.0
_MAX_HEADER = 500

T = TypeVar("T")


class Received(NamedTuple, Generic[T]):
    """A decoded message. *cause* names it for ever: events that it causes derive their ids from it."""

    item: T
    cause: str
    redelivered: bool


class Undecodable(Exception):
    """A message that can never be applied; the text says why."""

    reason = "undecodable"
    """Where it is kept among the rejected."""


class Inadmissible(Undecodable):
    """One that can be read, and is wrong as a whole."""

    reason = "invalid"


class BatchConsumer(Generic[T]):
    """Feeds the messages of a stream to *apply*, batch by batch, in order unless several are applied at once.

    *apply* makes the changes, which must be safe to repeat, and returns what is to be published. Then that is
    published, and the messages are acknowledged, while the next batch is applied. A crash anywhere replays the batch.

    - What *decode* raises Undecodable for is moved to the REJECTED stream.
    - When *apply* raises one of *transient*, the batch is tried again until it works: the world is to blame.
    - When it raises anything else, each message is tried on its own, and one that failed five times is rejected.
    """

    def __init__(
        self,
        bus: Bus,
        stream: Stream,
        durable: str,
        *,
        decode: Callable[[Msg], T],
        apply: Callable[[list[Received[T]]], Awaitable[Sequence[Publication]]],
        transient: tuple[type[Exception], ...] = (),
        window: int = 64,
        max_batch_bytes: int = 192 * 1024,
        completions: int = 4,
        appliers: int = 1,
    ) -> None:
        """
        :param completions: batches that may be applied and not yet acknowledged.
        :param appliers: batches that may be applied at once, so that one is prepared while the storage works on
            another. More than one gives up the order of batches.
        """
        self._bus = bus
        self._stream = bus.subjects.stream(stream)
        self._durable = durable
        self._decode = decode
        self._apply = apply
        self._transient = transient
        self._puller = Puller(
            bus, self._stream, durable, window=window, max_batch_bytes=max_batch_bytes, on_lost=self._restore
        )
        self._room = asyncio.Semaphore(completions)
        self._completing: set[asyncio.Task[None]] = set()
        self._appliers = appliers
        self._loops: list[asyncio.Task[None]] = []
        self._stopping = False

    async def start(self) -> None:
        await ensure_consumer(self._bus.js, self._stream, self._durable)
        await self._puller.start()
        self._loops = [asyncio.create_task(self._run(), name=f"consume {self._stream}") for _ in range(self._appliers)]

    async def stop(self) -> None:
        """Finishes the batches under way; what was not begun stays in the stream."""
        self._stopping = True
        await self._puller.stop()
        for loop in self._loops:
            await loop
        if self._completing:
            await asyncio.wait(self._completing)

    async def _restore(self) -> None:
        """What was not acknowledged to the consumer that is lost comes again from the new one."""
        await self._bus.ensure_streams()
        await ensure_consumer(self._bus.js, self._stream, self._durable)

    async def _run(self) -> None:
        while not self._stopping and (batch := await self._puller.next_batch()):
            try:
                await self._handle(batch)
            except Exception:
                _log.exception("batch not handled", stream=self._stream)

    async def _handle(self, batch: list[Msg]) -> None:
        received = []
        messages = []
        for message in batch:
            try:
                item = self._decode(message)
            except Undecodable as error:
                await self._reject(message, error.reason, str(error))
                continue
            received.append(Received(item, _cause(message), message.metadata.num_delivered > 1))
            messages.append(message)
        if received:
            self._measure(messages)
            await self._apply_all(received, messages)

    def _measure(self, messages: list[Msg]) -> None:
        measures = self._bus.measures
        measures.batches[self._stream].observe(len(messages))
        measures.waiting[self._stream] = messages[-1].metadata.num_pending

    async def _apply_all(self, received: list[Received[T]], messages: list[Msg]) -> None:
        try:
            publications = await self._apply_patiently(received, messages)
        except self._transient as error:
            _log.warning("stopped before it was applied", stream=self._stream, messages=len(messages), error=str(error))
            # To whoever comes next at once, not only after the time for acknowledgement.
            await asyncio.gather(*(message.nak() for message in messages), return_exceptions=True)
            return
        except Exception as error:
            if len(received) > 1:
                _log.warning("batch failed, trying its messages one by one", stream=self._stream, error=repr(error))
                for one, message in zip(received, messages, strict=True):
                    # It may have been applied before something else failed.
                    await self._apply_all([one._replace(redelivered=True)], [message])
                return
            _log.exception("message failed", stream=self._stream, cause=received[0].cause)
            await self._failed(messages[0], error)
            return
        await self._room.acquire()
        task = asyncio.create_task(self._complete(messages, publications))
        self._completing.add(task)
        task.add_done_callback(self._completed)

    async def _apply_patiently(self, received: list[Received[T]], messages: list[Msg]) -> Sequence[Publication]:
        pause = _FIRST_PAUSE_S
        told_at = time.monotonic()
        while True:
            try:
                return await self._apply(received)
            except self._transient as error:
                if self._stopping:
                    raise
                _log.warning("trying again", stream=self._stream, error=str(error), pause_s=pause)
                # The call may have been applied before it failed: from now on this is a replay.
                received = [item._replace(redelivered=True) for item in received]
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)
            if time.monotonic() - told_at > ACK_WAIT_S / 3:
                told_at = time.monotonic()
                await asyncio.gather(*(message.in_progress() for message in messages), return_exceptions=True)

    def _completed(self, task: asyncio.Task[None]) -> None:
        self._completing.discard(task)
        self._room.release()

    async def _complete(self, messages: list[Msg], publications: Sequence[Publication]) -> None:
        try:
            await asyncio.gather(*(self._bus.publish_durable(item, deadline_s=20) for item in publications))
            await asyncio.gather(*(message.ack_sync(timeout=_ACK_TIMEOUT_S) for message in messages))
        except (BusError, nats.errors.Error, TimeoutError) as error:
            # Whatever was not acknowledged comes again, and finds its work done.
            _log.warning("batch not acknowledged, it will come again", stream=self._stream, error=repr(error))

    async def _failed(self, message: Msg, error: Exception) -> None:
        if message.metadata.num_delivered >= _MAX_FAILURES:
            await self._reject(message, "failed", repr(error))
        else:
            await message.nak(delay=_FAILURE_DELAY_S)

    async def _reject(self, message: Msg, reason: str, explanation: str) -> None:
        try:
            await self._bus.publish_durable(rejection(self._bus, message, reason, explanation, _cause(message)))
            await message.term()
        except (BusError, nats.errors.Error, TimeoutError) as error:
            _log.warning("message not rejected, it will come again", subject=message.subject, error=repr(error))


def _cause(message: Msg) -> str:
    """The time tells a message from the one of the same number in a stream that was lost and made anew."""
    metadata = message.metadata
    return f"{metadata.stream}:{metadata.sequence.stream}:{metadata.timestamp.timestamp():.6f}"


def rejection(
    bus: Bus, message: Msg, reason: str, explanation: str, cause: str, data: bytes | None = None
) -> Publication:
    """The message that records, in the REJECTED stream, what could not be applied: all of *message*, or the part of it
    that *data* is."""
    _log.warning("rejected", subject=message.subject, reason=reason, explanation=explanation)
    body = v1.Rejected(
        subject=message.subject,
        data=message.data if data is None else data,
        headers=message.headers or {},
        reason=explanation,
        at_us=time.time_ns() // 1000,
    )
    headers = {"Gotask-Subject": message.subject, "Gotask-Reason": _one_line(explanation)}
    return Publication(bus.subjects.rejected(reason), body.SerializeToString(), f"rejected:{cause}", headers)


def _one_line(text: str) -> str:
    """As a header may hold it."""
    return " ".join(text.encode("ascii", "replace").decode().split())[:_MAX_HEADER]
