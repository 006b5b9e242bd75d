"""The ticks of a schedule: from its expression and time zone to moments in time, in microseconds.

Daylight saving time is treated as by cron(8). An expression that names hours means what the local clock shows: a time
that does not exist ticks at the first moment after the gap, one that comes twice ticks once, the first time. One whose
hour is ``*`` means a pace: it goes on evenly, through a repeated hour too.
"""

from collections.abc import Callable
from functools import lru_cache, partial

from gotask.jobs import cron, zones
from gotask.jobs.cron import CronExpression
from gotask.jobs.durations import parse_us
from gotask.jobs.zones import LocalClock

_SECOND_US = 1_000_000
_LATEST_S = 250_000_000_000
"""In the year 9892: there are no ticks beyond it."""
_EVERY = "@every "

NextTick = Callable[[int], int | None]
"""From a moment to the first tick after it; None when there is none."""


def next_tick_of(cron_expr: str, timezone: str, counts_from_us: int) -> NextTick:
    """The ticks of *cron_expr* in *timezone*; those of ``@every`` count from *counts_from_us*.

    ValueError for an expression or a time zone that is none: see :func:`check_expression`.
    """
    interval_us = every_us(cron_expr)
    if interval_us:
        return partial(_next_of_every, interval_us, counts_from_us)
    return partial(_next_of_cron, cron_expr, timezone)


def check_expression(cron_expr: str) -> None:
    """ValueError says what is wrong with it."""
    if not every_us(cron_expr):
        cron.parse(cron_expr)


def every_us(cron_expr: str) -> int:
    """The interval of ``@every 90s``, in microseconds; 0 for another expression. ValueError when it is below 1 s."""
    if not cron_expr.startswith(_EVERY):
        return 0
    interval_us = parse_us(cron_expr.removeprefix(_EVERY))
    if interval_us < _SECOND_US:
        raise ValueError(f"{cron_expr!r}: the shortest interval is 1s")
    return interval_us


def _next_of_every(interval_us: int, counts_from_us: int, after_us: int) -> int:
    return counts_from_us + max((after_us - counts_from_us) // interval_us + 1, 0) * interval_us


def _next_of_cron(cron_expr: str, timezone: str, after_us: int) -> int | None:
    tick_s = _next_second(cron_expr, timezone, after_us // _SECOND_US)
    return None if tick_s is None else tick_s * _SECOND_US


@lru_cache(maxsize=16_384)
def _next_second(cron_expr: str, timezone: str, after_s: int) -> int | None:
    """Remembered, since many schedules have the same ticks."""
    if after_s > _LATEST_S:
        return None
    expression, clock = cron.parse(cron_expr), zones.local_clock(timezone)
    return (_next_by_clock if expression.names_hours else _next_by_pace)(expression, clock, after_s)


def _next_by_clock(expression: CronExpression, clock: LocalClock, after_s: int) -> int | None:
    wall_s = expression.next_wall(clock.furthest(after_s))
    return None if wall_s is None else clock.first_showing(wall_s)


def _next_by_pace(expression: CronExpression, clock: LocalClock, after_s: int) -> int | None:
    while True:
        offset = clock.offset(after_s)
        wall_s = expression.next_wall(after_s + offset)
        if wall_s is None:
            return None
        tick_s = wall_s - offset
        change_s = clock.next_change(after_s, tick_s)
        if change_s is None:
            return tick_s
        # From the change on, the clock shows other times; the first of them is one of those looked for.
        shown = change_s + clock.offset(change_s)
        if expression.next_wall(shown - 1) == shown:
            return change_s
        after_s = change_s


def last_ticks(next_tick: NextTick, after_us: int, until_us: int, count: int) -> list[int]:
    """The last *count* ticks after *after_us* and not after *until_us*, earliest first.

    Costs some dozens of times *count*, however many ticks there are.
    """
    ticks = _first_ticks(next_tick, after_us, until_us, count + 1)
    if len(ticks) <= count:
        return ticks
    many_us, few_us = after_us, until_us
    while few_us - many_us > _SECOND_US:
        middle_us = (many_us + few_us) // 2
        if len(_first_ticks(next_tick, middle_us, until_us, count + 1)) > count:
            many_us = middle_us
        else:
            few_us = middle_us
    # Ticks are a second apart at least: there is one more than wanted, or two.
    return _first_ticks(next_tick, many_us, until_us, count + 2)[-count:]


def _first_ticks(next_tick: NextTick, after_us: int, until_us: int, count: int) -> list[int]:
    ticks: list[int] = []
    while len(ticks) < count and (tick := next_tick(after_us)) is not None and tick <= until_us:
        ticks.append(tick)
        after_us = tick
    return ticks
