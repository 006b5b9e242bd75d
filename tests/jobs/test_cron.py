"""Cron expressions in local time, against clocks that are watched minute by minute."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gotask.jobs.cron import parse
from gotask.jobs.ticks import check_expression, last_ticks, next_tick_of
from gotask.jobs.zones import local_clock

pytestmark = pytest.mark.unit

SECOND = 1_000_000
MINUTE = 60 * SECOND
ZONES = ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca"]
"""An hour of daylight saving time on both sides of the ocean; half an hour, in the southern summer; and summer time but
in Ramadan."""


def us(text: str, zone: str = "UTC") -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1e6)


def shown(at_us: int, zone: str) -> str:
    return datetime.fromtimestamp(at_us / 1e6, ZoneInfo(zone)).isoformat(sep=" ")[5:]


def ticks(expression: str, zone: str, after: str, count: int) -> list[str]:
    """The next ticks after a local time, as the clock of the zone shows them."""
    next_tick, at_us = next_tick_of(expression, zone, 0), us(after, zone)
    found = []
    for _ in range(count):
        following = next_tick(at_us)
        assert following is not None
        at_us = following
        found.append(shown(at_us, zone))
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("@hourly", ["01-01 01:00:00", "01-01 02:00:00"]),
        ("@daily", ["01-02 00:00:00", "01-03 00:00:00"]),
        ("*/15 * * * *", ["01-01 00:15:00", "01-01 00:30:00"]),
        ("0 9 * * 1", ["01-05 09:00:00", "01-12 09:00:00"]),
        ("0 2 * * *", ["01-01 02:00:00", "01-02 02:00:00"]),
        ("*/20 * * * * *", ["01-01 00:00:20", "01-01 00:00:40"]),
        ("30 0 9 * * MON", ["01-05 09:00:30", "01-12 09:00:30"]),
        ("5-5 * * * *", ["01-01 00:05:00", "01-01 01:05:00"]),
        ("0 0 l * *", ["01-31 00:00:00", "02-28 00:00:00"]),
        ("@every 90s", ["01-01 00:01:30", "01-01 00:03:00"]),
        ("@every 1h30m", ["01-01 01:30:00", "01-01 03:00:00"]),
    ],
)
def test_expressions_mean_what_they_say(expression: str, expected: list[str]) -> None:
    assert ticks(expression, "UTC", "2026-01-01", 2) == [f"{one}+00:00" for one in expected]


def test_a_rare_date_is_found() -> None:
    next_tick = next_tick_of("0 0 29 2 *", "Europe/Berlin", 0)
    assert next_tick(us("2026-01-01")) == us("2028-02-29", "Europe/Berlin")


def test_a_time_in_the_gap_ticks_at_the_first_moment_after_it() -> None:
    assert ticks("30 2 * * *", "America/New_York", "2026-03-07 12:00", 2) == [
        "03-08 03:00:00-04:00",
        "03-09 02:30:00-04:00",
    ]
    assert ticks("*/10 2 * * *", "Europe/Berlin", "2026-03-28 12:00", 2) == [
        "03-29 03:00:00+02:00",
        "03-30 02:00:00+02:00",
    ]
    assert ticks("15 2 * * *", "Australia/Lord_Howe", "2026-10-03 12:00", 1) == ["10-04 02:30:00+11:00"]
    assert ticks("0 2 * * *", "Pacific/Apia", "2011-12-29 12:00", 2) == ["12-31 00:00:00+14:00", "12-31 02:00:00+14:00"]


def test_a_time_that_comes_twice_ticks_once() -> None:
    assert ticks("30 1 * * *", "America/New_York", "2026-10-31 12:00", 2) == [
        "11-01 01:30:00-04:00",
        "11-02 01:30:00-05:00",
    ]
    second = next_tick_of("30 1 * * *", "America/New_York", 0)(us("2026-11-01T06:10:00"))
    assert second == us("2026-11-02T06:30:00")


def test_an_expression_for_every_hour_goes_on_evenly() -> None:
    assert ticks("30 * * * *", "America/New_York", "2026-11-01 00:00", 4) == [
        "11-01 00:30:00-04:00",
        "11-01 01:30:00-04:00",
        "11-01 01:30:00-05:00",
        "11-01 02:30:00-05:00",
    ]
    assert ticks("30 * * * *", "America/New_York", "2026-03-08 01:00", 2) == [
        "03-08 01:30:00-05:00",
        "03-08 03:30:00-04:00",
    ]


def _changes(zone: str, year: int) -> list[datetime]:
    """The hours of a year before which the zone's offset changes."""
    at, found = datetime(year, 1, 1, tzinfo=UTC), []
    while at.year == year:
        following = at + timedelta(hours=1)
        if following.astimezone(ZoneInfo(zone)).utcoffset() != at.astimezone(ZoneInfo(zone)).utcoffset():
            found.append(following)
        at = following
    return found


def _watched(matches: Callable[[datetime], bool], zone: str, begin: datetime, end: datetime) -> list[int]:
    """When a wall time that *matches* is shown, or passed over, for the first time: minute by minute."""
    found = []
    minute = timedelta(minutes=1)
    furthest = begin.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    at = begin
    while (at := at + minute) <= end:
        wall = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        passed = False
        while furthest < wall:
            furthest += minute
            passed = passed or matches(furthest)
        if passed:
            found.append(round(at.timestamp() * 1e6))
    return found


BY_CLOCK: dict[str, Callable[[datetime], bool]] = {
    "30 2 * * *": lambda at: (at.hour, at.minute) == (2, 30),
    "30 1 * * *": lambda at: (at.hour, at.minute) == (1, 30),
    "*/7 1-3 * * *": lambda at: at.hour in (1, 2, 3) and at.minute % 7 == 0,
    "0 */2 * * *": lambda at: at.hour % 2 == 0 and at.minute == 0,
    "59 23 * * 0,6": lambda at: at.isoweekday() in (6, 7) and (at.hour, at.minute) == (23, 59),
}
BY_PACE: dict[str, Callable[[datetime], bool]] = {
    "*/20 * * * *": lambda at: at.minute % 20 == 0,
    "45 * * * 6": lambda at: at.isoweekday() == 6 and at.minute == 45,
}


@pytest.mark.parametrize("zone", ZONES)
def test_around_every_change_of_a_year_ticks_are_where_a_watched_clock_has_them(zone: str) -> None:
    changes = _changes(zone, 2026)
    assert len(changes) == 2
    for change in changes:
        begin, end = change - timedelta(days=2), change + timedelta(days=2)
        for expression, matches in BY_CLOCK.items():
            assert _ticks_between(expression, zone, begin, end) == _watched(matches, zone, begin, end), expression
        for expression, matches in BY_PACE.items():
            minutes = (begin + timedelta(minutes=number) for number in range(1, 4 * 24 * 60 + 1))
            expected = [at for at in minutes if matches(at.astimezone(ZoneInfo(zone)))]
            assert _ticks_between(expression, zone, begin, end) == [round(at.timestamp() * 1e6) for at in expected]


def _ticks_between(expression: str, zone: str, begin: datetime, end: datetime) -> list[int]:
    next_tick = next_tick_of(expression, zone, 0)
    return last_ticks(next_tick, round(begin.timestamp() * 1e6), round(end.timestamp() * 1e6), 1_000)


@pytest.mark.parametrize("zone", ZONES)
def test_a_daily_time_ticks_once_on_every_day_of_a_year(zone: str) -> None:
    for expression in ("0 0 * * *", "15 1 * * *", "30 2 * * *", "45 23 * * *"):
        begin, end = us("2026-01-01", zone), us("2027-01-01", zone)
        found = last_ticks(next_tick_of(expression, zone, 0), begin - 1, end - 1, 1_000)
        days = [datetime.fromtimestamp(at / 1e6, ZoneInfo(zone)).date() for at in found]
        assert len(days) == len(set(days)) == 365


_FIELDS = [(0, 59, 59), (0, 59, 59), (0, 23, 23), (1, 28, 31), (1, 12, 12)]
"""The lowest number of each, the highest that every month has, and the highest of all."""


@st.composite
def _field(draw: st.DrawFn, low: int, high: int, top: int) -> tuple[str, set[int]]:
    """A field, and what it stands for."""
    if draw(st.booleans()):
        step = draw(st.integers(1, 9))
        return f"*/{step}" if step > 1 else "*", set(range(low, top + 1, step))
    parts, numbers = [], set()
    for _ in range(draw(st.integers(1, 3))):
        first = draw(st.integers(low, high))
        last = draw(st.integers(first, high))
        parts.append(str(first) if first == last and draw(st.booleans()) else f"{first}-{last}")
        numbers |= set(range(first, last + 1))
    return ",".join(parts), numbers


@given(st.tuples(*(_field(*bounds) for bounds in _FIELDS)), st.integers(0, 2_000_000_000))
def test_the_next_wall_time_is_the_first_that_matches(fields: tuple[tuple[str, set[int]], ...], after_s: int) -> None:
    seconds, minutes, hours, days, months = (numbers for _, numbers in fields)
    found = parse(" ".join(text for text, _ in fields) + " *").next_wall(after_s)
    assert found is not None
    assert found > after_s
    at = datetime.fromtimestamp(found, UTC)
    assert at.second in seconds
    assert at.minute in minutes
    assert at.hour in hours
    assert at.day in days
    assert at.month in months
    assert not _matching_between(fields, after_s, found)


def _matching_between(fields: tuple[tuple[str, set[int]], ...], after_s: int, before_s: int) -> bool:
    """Whether an earlier time matches: looks at whole days first, then at the times of the days at both ends."""
    seconds, minutes, hours, days, months = (numbers for _, numbers in fields)
    times = sorted(hour * 3600 + minute * 60 + second for hour in hours for minute in minutes for second in seconds)
    day = after_s // 86_400
    while day * 86_400 < before_s:
        date = datetime.fromtimestamp(day * 86_400, UTC)
        if date.day in days and date.month in months:
            candidates = (day * 86_400 + time for time in times)
            if any(after_s < candidate < before_s for candidate in candidates):
                return True
        day += 1
    return False


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("61 * * * *", "minute '61'"),
        ("0 24 * * *", "hour '24'"),
        ("0 0 * 13 *", "month '13'"),
        ("0 0 * * fry", "day of week 'fry'"),
        ("99 0 0 * * *", "second '99'"),
        ("* * * *", "five fields"),
        ("* * * * * * *", "five fields"),
        ("", "five fields"),
        ("@reboot", "five fields"),
        ("0 0 30 2 *", "never comes"),
        ("H * * * *", "jitter"),
        ("0 r(1-3) * * *", "jitter"),
        ("@every", "five fields"),
        ("@every soon", "not a duration: 'soon'"),
        ("@every 10ms", "shortest interval is 1s"),
        ("* " * 200, "longer than"),
    ],
)
def test_a_wrong_expression_is_told_what_is_wrong(expression: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason.replace("(", r"\(")):
        check_expression(expression)


@pytest.mark.parametrize(
    "name", ["", "Mars/Base", "../../etc/passwd", "utc", "localtime", "America", "\0", "right/UTC"]
)
def test_a_time_zone_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="there is no time zone"):
        local_clock(name)


def test_a_time_zone_that_is_misspelt_is_guessed() -> None:
    with pytest.raises(ValueError, match="did you mean 'Europe/Berlin'"):
        local_clock("Europe/Berln")


@pytest.mark.parametrize(("expression", "step"), [("* * * * * *", SECOND), ("@every 90s", 90 * SECOND)])
def test_the_last_of_many_ticks_are_found(expression: str, step: int) -> None:
    end = us("2026-06-01")
    found = last_ticks(next_tick_of(expression, "UTC", 0), 0, end, 100)
    assert found == [end - (99 - number) * step for number in range(100)]


def test_ticks_of_every_count_from_where_they_are_told_to() -> None:
    next_tick = next_tick_of("@every 90s", "UTC", us("2026-01-01") + 7)
    assert next_tick(us("2020-01-01")) == us("2026-01-01") + 7
    assert next_tick(us("2026-01-01") + 7) == us("2026-01-01") + 7 + 90 * SECOND
