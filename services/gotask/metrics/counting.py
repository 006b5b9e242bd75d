"""Counting: events go into the tally once each, whatever is killed."""

import asyncio
import contextlib
from typing import Any

import nats.errors
import structlog
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg

from gotask import v1
from gotask.bus.bus import Bus
from gotask.bus.consumer import rejection
from gotask.bus.errors import BusError, BusUnavailable, MessageTooLarge
from gotask.bus.patience import patiently
from gotask.bus.pull import Puller
from gotask.bus.streams import ensure_consumer
from gotask.bus.subjects import Stream
from gotask.metrics.counts import Counts
from gotask.metrics.sequences import Sequences
from gotask.metrics.store import TakenOver, TallyStore
from gotask.metrics.tally import Tally
from gotask.service.clock import Clock
from gotask.service.tasks import stop_task

_log = structlog.get_logger("gotask.metrics")

_DURABLE = "metrics"
_WINDOW = 512
_MAX_BATCH_BYTES = 1 << 20
_MAX_UNSAVED = 5_000
_PENDING = 4 * _MAX_UNSAVED
_PATIENCE_S = 30.0
_STORED_WINDOWS = {"last_hour": 60, "last_day": 96}


class EventCounter:
    """Feeds the EVENTS stream to the tally.

    Every second or so the tally is stored, together with the sequence numbers of the messages that are in it; only
    then are these acknowledged. A service that starts goes on from what was stored: what came after it is delivered
    again, and what is delivered again although it was counted is known by its number. So each event is in the totals
    exactly once, over restarts of the service and of the broker, unless it left the stream before it was counted. (The
    windows of the last hour and day are stored right after the totals: a crash between the two costs them a second.
    The last minute begins anew.)
    """

    def __init__(self, bus: Bus, tally: Tally, clock: Clock, save_every_s: float) -> None:
        self._bus = bus
        self._tally = tally
        self._clock = clock
        self._save_every_s = save_every_s
        self._store = TallyStore(bus)
        self._stream = bus.subjects.stream(Stream.EVENTS)
        self._puller = Puller(
            bus,
            self._stream,
            _DURABLE,
            window=_WINDOW,
            max_batch_bytes=_MAX_BATCH_BYTES,
            on_lost=self._ensure_consumer,
        )
        self._counted = Sequences()
        self._stream_created = ""
        self._check_stream = True
        self._unsaved: list[Msg] = []
        self._many = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.uncounted = 0
        """Events' messages that wait in the stream, as the broker said last."""
        self.taken_over = asyncio.Event()
        """Set when another service keeps the tally: this one counts no more."""

    async def start(self) -> None:
        """Waits for a broker that is away; BusUnavailable when that takes more than half a minute."""
        await self._ensure_consumer()
        await patiently(self._restore, _PATIENCE_S, lambda error: isinstance(error, BusUnavailable))
        self._bus.on_reconnect(self._distrust_stream)
        await self._puller.start()
        self._tasks = [asyncio.create_task(self._count()), asyncio.create_task(self._save_often())]

    async def stop(self) -> None:
        """Stores what was counted."""
        await self._puller.stop()
        for task in self._tasks:
            await stop_task(task)
        if not self.taken_over.is_set():
            await self._save()

    async def _ensure_consumer(self) -> None:
        await self._bus.ensure_streams()
        await ensure_consumer(self._bus.js, self._stream, _DURABLE, max_ack_pending=_PENDING)
        self._distrust_stream()

    async def _restore(self) -> None:
        stored = await self._store.take_over()
        if not stored.get("totals"):
            return
        now_us = self._clock.now_us()
        self._tally.restore(stored, now_us)
        self._counted = Sequences((first, last) for first, last in stored["counted"])
        self._stream_created = stored["stream_created"]
        for name, places in _STORED_WINDOWS.items():
            for slot in await self._store.slots(name, places):
                self._tally.windows[name].restore(slot["slot"], Counts.from_json(slot), now_us / 1e6)

    def _distrust_stream(self) -> None:
        self._check_stream = True

    async def _count(self) -> None:
        while batch := await self._puller.next_batch():
            try:
                await self._know_stream()
                for message in batch:
                    await self._count_one(message)
            except (BusError, nats.errors.Error, TimeoutError) as error:
                _log.warning("events not counted, they will come again", error=repr(error))

    async def _count_one(self, message: Msg) -> None:
        sequence = message.metadata.sequence.stream
        try:
            events = v1.JobEvents.FromString(message.data)
        except DecodeError as error:
            text = f"not a JobEvents message: {error}"
            cause = f"{self._stream}:{sequence}"
            await self._bus.publish_durable(rejection(self._bus, message, "undecodable", text, cause))
            events = v1.JobEvents()
        if self._counted.add(sequence):
            now_us = self._clock.now_us()
            for batch in events.batches:
                self._tally.record(batch, now_us)
        self._unsaved.append(message)
        if len(self._unsaved) >= _MAX_UNSAVED:
            self._many.set()

    async def _know_stream(self) -> None:
        """After a new connection: the numbers mean nothing in another stream, nor beyond the end of one that lost
        messages with its broker's disk."""
        if not self._check_stream:
            return
        info = await self._bus.js.stream_info(self._stream)
        created = info.created.isoformat() if info.created else ""
        if created != self._stream_created:
            self._counted = Sequences()
            self._stream_created = created
        self._counted.cut_to(info.state.last_seq)
        self._check_stream = False

    async def _save_often(self) -> None:
        while not self.taken_over.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._many.wait(), self._save_every_s)
            self._many.clear()
            await self._save()

    async def _save(self) -> None:
        try:
            if self._unsaved:
                await self._save_totals()
                await self._save_windows()
            await self._ask_progress()
        except TakenOver as error:
            _log.error("counts no more", reason=str(error))
            self.taken_over.set()
            await self._puller.stop()
        except (BusError, nats.errors.Error, TimeoutError) as error:
            _log.warning("counts not stored", error=str(error) or repr(error))
        except Exception:
            _log.exception("counts not stored")

    async def _save_totals(self) -> None:
        messages, self._unsaved = self._unsaved, []
        self._tally.settle(self._clock.now_us())
        totals: dict[str, Any] = {
            **self._tally.to_json(),
            "counted": self._counted.ranges,
            "stream_created": self._stream_created,
        }
        try:
            await self._store.save(totals)
        except MessageTooLarge as error:
            _log.error("counts cannot be stored, and would be lost with this process", error=str(error))
        except BaseException:
            self._unsaved = messages + self._unsaved
            raise
        for message in messages:
            await message.ack()

    async def _save_windows(self) -> None:
        for name in _STORED_WINDOWS:
            window = self._tally.windows[name]
            for slot, counts in window.take_changed().items():
                await self._store.save_slot(name, window.place(slot), {**counts.to_json(), "slot": slot})

    async def _ask_progress(self) -> None:
        info = await self._bus.js.consumer_info(self._stream, _DURABLE)
        self.uncounted = info.num_pending or 0
        if info.ack_floor is not None and not self._check_stream:
            self._counted.raise_to(info.ack_floor.stream_seq)
