"""Where the tally is kept: a stream with one message per part, each replaced by the next."""

import zlib
from typing import Any
from uuid import uuid4

import nats.errors
import nats.js.errors
import orjson
import structlog
from nats.js.api import Header

from gotask.bus.bus import Bus
from gotask.bus.errors import BusUnavailable, MessageTooLarge
from gotask.bus.subjects import Stream

_log = structlog.get_logger("gotask.metrics")

_TIMEOUT_S = 2.0
_WRONG_LAST_SEQUENCE = frozenset({10071, 10164})
_TOTALS = "totals"


class TakenOver(Exception):
    """Another metrics service keeps the tally now."""


class _Outrun(Exception):
    """Somebody stored the totals since they were read."""


class TallyStore:
    """Stores the tally's parts. Of several services, the one that came last keeps the totals: it takes them over, and
    whatever an earlier one stores after that is refused."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._stream = bus.subjects.stream(Stream.TALLY)
        self._owner = uuid4().hex
        self._revision = 0

    async def take_over(self) -> dict[str, Any]:
        """The totals as they were stored last, which are ours from now on; empty when there are none.

        :raises BusUnavailable: the broker did not answer.
        """
        while True:
            totals, self._revision = await self._read(_TOTALS)
            try:
                await self._put_totals(totals)
            except _Outrun:
                continue
            return totals

    async def save(self, totals: dict[str, Any]) -> None:
        """
        :raises TakenOver: they are no longer ours.
        :raises BusUnavailable: the broker did not answer; they may have been stored.
        :raises MessageTooLarge: they can never be stored.
        """
        while True:
            try:
                await self._put_totals(totals)
            except _Outrun:
                stored, revision = await self._read(_TOTALS)
                if stored.get("owner") != self._owner:
                    raise TakenOver("another metrics service keeps the counts now") from None
                # Ours, from a try that seemed to fail.
                self._revision = revision
            else:
                return

    async def save_slot(self, window: str, place: int, slot: dict[str, Any]) -> None:
        """Stores one slot of a window; BusUnavailable when the broker did not answer."""
        await self._publish(f"{window}.{place}", slot, {})

    async def slots(self, window: str, places: int) -> list[dict[str, Any]]:
        """The slots of a window that were stored at its first *places* places."""
        found = [await self._read(f"{window}.{place}") for place in range(places)]
        return [document for document, revision in found if revision]

    async def _put_totals(self, totals: dict[str, Any]) -> None:
        headers = {Header.EXPECTED_LAST_SUBJECT_SEQUENCE.value: str(self._revision)}
        self._revision = await self._publish(_TOTALS, {**totals, "owner": self._owner}, headers)

    async def _publish(self, part: str, document: dict[str, Any], headers: dict[str, str]) -> int:
        data = zlib.compress(orjson.dumps(document), 1)
        if len(data) > self._bus.max_payload:
            raise MessageTooLarge(f"{part} of the tally takes {len(data)} bytes; the broker takes fewer")
        try:
            ack = await self._bus.js.publish(
                self._bus.subjects.tally(part), data, timeout=_TIMEOUT_S, headers=headers or None
            )
        except nats.js.errors.APIError as error:
            if error.err_code in _WRONG_LAST_SEQUENCE:
                raise _Outrun from None
            raise BusUnavailable(f"the tally was not stored: {error!r}") from error
        except (nats.errors.Error, TimeoutError) as error:
            raise BusUnavailable(f"the tally was not stored: {error!r}") from error
        return ack.seq

    async def _read(self, part: str) -> tuple[dict[str, Any], int]:
        """A part and its revision; an empty one and 0 when there is none."""
        try:
            message = await self._bus.js.get_last_msg(self._stream, self._bus.subjects.tally(part))
        except nats.js.errors.NotFoundError:
            return {}, 0
        except (nats.errors.Error, TimeoutError) as error:
            raise BusUnavailable(f"the tally was not read: {error!r}") from error
        return _decoded(part, message.data or b""), message.seq or 0


def _decoded(part: str, data: bytes) -> dict[str, Any]:
    try:
        document: dict[str, Any] = orjson.loads(zlib.decompress(data))
    except (zlib.error, orjson.JSONDecodeError) as error:
        _log.error("a part of the tally cannot be read, and begins anew", part=part, error=str(error))
        return {}
    return document
