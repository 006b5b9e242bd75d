"""What becomes of a schedule's ticks that have come: a decision, as a value."""

from collections.abc import Sequence
from typing import NamedTuple

from gotask import v1
from gotask.jobs.fires import remember
from gotask.jobs.schedules import fire_of_tick, next_fire_after, ticks_of
from gotask.jobs.ticks import last_ticks

MAX_FIRED = 1_000
"""The most ticks that are fired together when many were missed."""


class Visit(NamedTuple):
    """The schedule as it is from now on, and the fires whose jobs are to be submitted, earliest first."""

    schedule: v1.Schedule
    fires: list[v1.Fire]


class _Ticks(NamedTuple):
    fired: list[int]
    missed_until_us: int  # the last of those that are let go; 0 for none


def visit(schedule: v1.Schedule, now_us: int, *, overlapping: bool, missed_after_us: int) -> Visit:
    """Decides all ticks up to *now_us* of a schedule whose next fire has come.

    Ticks that came within *missed_after_us* are on time, and fire one by one. Those before were missed: none of them
    fires, or the last one if nothing else does, or up to 1,000 of all, as the policy says.

    :param overlapping: the job of the last fire is not terminal.
    """
    ticks = _choose(schedule, now_us, missed_after_us)
    following = v1.Schedule()
    following.CopyFrom(schedule)
    following.decided_until_us = now_us
    following.next_fire_at_us = next_fire_after(following, now_us)
    if ticks.missed_until_us:
        remember(following, _run(v1.FIRE_KIND_MISSED, schedule.next_fire_at_us, ticks.missed_until_us))
    passed, fired = _without_overlaps(schedule, ticks.fired, overlapping)
    if passed:
        remember(following, _run(v1.FIRE_KIND_OVERLAPPED, passed[0], passed[-1]))
    fires = [fire_of_tick(schedule, tick_us) for tick_us in fired]
    remember(following, *fires)
    return Visit(following, fires)


def _choose(schedule: v1.Schedule, now_us: int, missed_after_us: int) -> _Ticks:
    first_us = schedule.next_fire_at_us
    next_tick = ticks_of(schedule)
    on_time_from_us = max(first_us, now_us - missed_after_us)
    if schedule.missed == v1.MISSED_POLICY_ALL:
        on_time_from_us = first_us
    fired = last_ticks(next_tick, on_time_from_us - 1, now_us, MAX_FIRED)
    missed_before_us = fired[0] if fired else on_time_from_us
    newest_missed = last_ticks(next_tick, first_us - 1, missed_before_us - 1, 1)
    if newest_missed and not fired and schedule.missed == v1.MISSED_POLICY_ONE:
        fired = newest_missed
        newest_missed = last_ticks(next_tick, first_us - 1, fired[0] - 1, 1)
    return _Ticks(fired, newest_missed[0] if newest_missed else 0)


def _without_overlaps(
    schedule: v1.Schedule, ticks: Sequence[int], overlapping: bool
) -> tuple[Sequence[int], Sequence[int]]:
    """The ticks that are passed over, and those that fire."""
    if schedule.overlap != v1.OVERLAP_POLICY_SKIP:
        return [], ticks
    return (ticks, []) if overlapping else (ticks[:-1], ticks[-1:])


def _run(kind: v1.FireKind.ValueType, since_us: int, at_us: int) -> v1.Fire:
    return v1.Fire(kind=kind, since_us=since_us, at_us=at_us)
