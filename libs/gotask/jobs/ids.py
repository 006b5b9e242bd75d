"""Job ids: UUIDv7 in text form, so that they sort by the time they were made.

RFC 9562, section 5.7, with the 12 bits of ``rand_a`` used as a counter (method 1 of section 6.2): ids made by one
process within a millisecond keep their order.
"""

import hashlib
import os
import re
import time

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class IdMaker:
    """Makes ids that rise strictly, even when the clock stands still or steps back."""

    def __init__(self) -> None:
        self._last_ms = 0
        self._counter = 0

    def make(self, now_us: int) -> str:
        """A new id for the moment *now_us*."""
        now_ms = now_us // 1000
        if now_ms > self._last_ms:
            self._last_ms, self._counter = now_ms, 0
        else:
            self._counter += 1
            if self._counter > 0xFFF:
                self._last_ms, self._counter = self._last_ms + 1, 0
        return _text(self._last_ms, self._counter, os.urandom(8).hex())


def _text(ms: int, counter: int, tail: str) -> str:
    stamp = f"{ms:012x}"
    variant = "89ab"[int(tail[0], 16) & 3]
    return f"{stamp[:8]}-{stamp[8:]}-7{counter:03x}-{variant}{tail[1:4]}-{tail[4:]}"


_maker = IdMaker()


def new_id() -> str:
    """A new id for now."""
    return _maker.make(time.time_ns() // 1000)


def derived_id(at_us: int, source: str) -> str:
    """The id of the job that *source* caused at *at_us*: always the same one, however often it is asked for."""
    digest = hashlib.sha256(source.encode()).hexdigest()
    return _text(at_us // 1000, int(digest[:3], 16), digest[3:19])


def is_id(text: str) -> bool:
    """Whether *text* is an id as this module makes them."""
    return _ID.fullmatch(text) is not None
