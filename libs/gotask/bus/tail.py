"""Reads a stream from some place on, at the reader's pace, whatever happens to the broker."""

import asyncio
import contextlib
import uuid
from collections.abc import Sequence

import nats.errors
import nats.js.errors
import structlog
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from gotask.bus.bus import Bus
from gotask.bus.errors import BusUnavailable
from gotask.bus.pull import Puller

_log = structlog.get_logger("gotask.bus")

_WINDOW = 64
_MAX_BATCH_BYTES = 1 << 20
_QUIET_S = 5.0
_FORGET_AFTER_S = 60.0
_PAUSE_S = 0.5


class Tail:
    """The messages of *stream* on *subjects*, in order, each once.

        async with Tail(bus, stream, [subjects.any_event]) as tail:
            while batch := await tail.next_batch():
                ...

    Nothing is read ahead but a window of a few messages, so a reader who is slow costs nothing. The broker keeps a
    short-lived consumer for it; when that is lost, or misses a message, another one begins where this one stopped.
    """

    def __init__(self, bus: Bus, stream: str, subjects: Sequence[str], after: int | None = None) -> None:
        """
        :param after: the sequence after which to begin; None: whatever is the last now.
        """
        self._bus = bus
        self._stream = stream
        self._subjects = list(subjects)
        self._after = after
        self._puller: Puller | None = None
        self._expected = 1
        self._stopped = False
        self._stirred = asyncio.Event()
        self._gap = False

    @property
    def last(self) -> int:
        """The sequence of the last message that was given out, or after which reading began."""
        return self._after or 0

    def missed(self) -> bool:
        """Whether messages were gone before they could be read. Tells of each gap once, before what follows it."""
        gap, self._gap = self._gap, False
        return gap

    async def __aenter__(self) -> "Tail":
        """BusUnavailable when the broker does not answer."""
        await self._begin()
        self._bus.on_reconnect(self._stirred.set)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._bus.off_reconnect(self._stirred.set)
        await self._end()

    async def next_batch(self) -> list[Msg]:
        """What has come; waits while that is nothing. Empty after :meth:`stop`."""
        while not self._stopped:
            batch = await self._pulled()
            in_order = self._in_order(batch)
            if in_order:
                return in_order
            if batch or not await self._lives():
                await self._begin_again()
        return []

    def stop(self) -> None:
        """Makes :meth:`next_batch` return."""
        self._stopped = True
        self._stirred.set()

    async def _pulled(self) -> list[Msg]:
        if self._puller is None:
            return []
        pull = asyncio.ensure_future(self._puller.next_batch())
        stir = asyncio.ensure_future(self._stirred.wait())
        try:
            await asyncio.wait((pull, stir), timeout=_QUIET_S, return_when=asyncio.FIRST_COMPLETED)
            return pull.result() if pull.done() else []
        finally:
            if not self._stopped:
                self._stirred.clear()
            pull.cancel()
            stir.cancel()

    def _in_order(self, batch: list[Msg]) -> list[Msg]:
        """*batch* up to the first message before which another is missing."""
        for index, message in enumerate(batch):
            sequence = message.metadata.sequence
            if sequence.consumer != self._expected:
                return batch[:index]
            self._expected += 1
            self._after = sequence.stream
        return batch

    async def _lives(self) -> bool:
        try:
            await self._bus.js.consumer_info(self._stream, self._name)
        except nats.js.errors.NotFoundError:
            return False
        except (nats.errors.Error, TimeoutError):
            return True
        return True

    async def _look_again(self) -> None:
        self._stirred.set()

    async def _begin_again(self) -> None:
        with contextlib.suppress(BusUnavailable):
            await self._end()
            await self._begin()
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stirred.wait(), _PAUSE_S)

    async def _begin(self) -> None:
        self._name = f"tail-{uuid.uuid4().hex}"
        try:
            state = (await self._bus.js.stream_info(self._stream)).state
            if self._after is None:
                self._after = state.last_seq
            # A place beyond the end is one of another stream, which this one has replaced.
            elif not state.first_seq - 1 <= self._after <= state.last_seq:
                self._gap = True
                self._after = state.first_seq - 1
            await self._bus.js.add_consumer(self._stream, self._config(self._after + 1))
        except (nats.errors.Error, TimeoutError) as error:
            raise BusUnavailable(f"{self._stream} cannot be read now: {error!r}") from error
        self._expected = 1
        self._puller = Puller(
            self._bus,
            self._stream,
            self._name,
            window=_WINDOW,
            max_batch_bytes=_MAX_BATCH_BYTES,
            on_lost=self._look_again,
        )
        await self._puller.start()

    def _config(self, first: int) -> ConsumerConfig:
        return ConsumerConfig(
            name=self._name,
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=first,
            ack_policy=AckPolicy.NONE,
            filter_subjects=self._subjects,
            inactive_threshold=_FORGET_AFTER_S,
            mem_storage=True,
            num_replicas=1,
        )

    async def _end(self) -> None:
        if self._puller is not None:
            puller, self._puller = self._puller, None
            await puller.stop()
            with contextlib.suppress(nats.errors.Error, TimeoutError):
                await self._bus.js.delete_consumer(self._stream, self._name)
