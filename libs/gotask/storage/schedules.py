"""What advancing a schedule makes of it."""

from collections.abc import Sequence

from gotask import v1

KEPT_FIRES = 20


def advanced(schedule: v1.Schedule, next_us: int, fires: Sequence[v1.Fire]) -> v1.Schedule:
    """A copy of *schedule* with its next fire, and *fires* before the newest of those it had."""
    copy = v1.Schedule()
    copy.CopyFrom(schedule)
    copy.next_fire_at_us = next_us
    del copy.fires[:]
    copy.fires.extend([*fires, *schedule.fires][:KEPT_FIRES])
    return copy
