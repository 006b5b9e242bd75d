"""Local clocks: what they show when, with the hours that daylight saving time skips and repeats.

All numbers are whole seconds. A *wall* time is what a local clock shows, counted as if the zone were UTC.
"""

from datetime import UTC, datetime
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

_OF_THIS_MACHINE = "localtime"
_DAY_S = 86_400
_AROUND_S = 2 * _DAY_S
"""From any wall time, taken as UTC, to both sides of a change of offset that concerns it: offsets are below 27 h."""
_SELDOM_S = 7 * _DAY_S
"""No zone changes its offset twice within this time."""


class LocalClock:
    """The clock of one time zone."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone

    def offset(self, at_s: int) -> int:
        """By how much it is ahead of UTC."""
        shown = datetime.fromtimestamp(at_s, self._zone).replace(tzinfo=UTC)
        return round(shown.timestamp()) - at_s

    def first_showing(self, wall_s: int) -> int:
        """When it first shows *wall_s* or more: the first of two times, or the first moment after a gap."""
        before, after = self.offset(wall_s - _AROUND_S), self.offset(wall_s + _AROUND_S)
        if before == after:
            return wall_s - before
        change_s = self._change(wall_s - _AROUND_S, wall_s + _AROUND_S)
        return wall_s - before if wall_s - before < change_s else max(change_s, wall_s - after)

    def furthest(self, at_s: int) -> int:
        """The latest wall time that it has shown up to *at_s*: more than it shows now while an hour is repeated."""
        before, now = self.offset(at_s - _AROUND_S), self.offset(at_s)
        if before <= now:
            return at_s + now
        return max(at_s + now, self._change(at_s - _AROUND_S, at_s) - 1 + before)

    def next_change(self, after_s: int, until_s: int) -> int | None:
        """The first moment after *after_s*, and not after *until_s*, from which on its offset is another."""
        begin, offset = after_s, self.offset(after_s)
        while begin < until_s:
            end = min(begin + _SELDOM_S, until_s)
            if self.offset(end) != offset:
                return self._change(begin, end)
            begin = end
        return None

    def _change(self, begin_s: int, end_s: int) -> int:
        """The change between two moments with different offsets."""
        offset = self.offset(begin_s)
        while end_s - begin_s > 1:
            middle_s = (begin_s + end_s) // 2
            if self.offset(middle_s) == offset:
                begin_s = middle_s
            else:
                end_s = middle_s
        return end_s


@lru_cache(maxsize=1024)
def local_clock(timezone: str) -> LocalClock:
    """The clock of an IANA time zone such as "Europe/Berlin"; ValueError when there is none of that name."""
    known = available_timezones() - {_OF_THIS_MACHINE}
    if timezone in known:
        return LocalClock(ZoneInfo(timezone))
    similar = get_close_matches(timezone, known, n=1)
    hint = f"; did you mean {similar[0]!r}?" if similar else ", such as 'UTC' or 'Europe/Berlin'"
    raise ValueError(f"there is no time zone {timezone!r}: use an IANA name{hint}")
