"""Points in time and durations, as Python has them."""

from datetime import UTC, datetime, timedelta

from gotask.jobs.durations import parse_us
from gotask.sdk.errors import InvalidArgument

Duration = str | float | timedelta
"""Seconds, a string such as "90s" or "1h30m", or a timedelta."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(at_us: int) -> datetime | None:
    """A point in time, UTC; None for 0, which means "not set"."""
    return at(at_us) if at_us else None


def at(at_us: int) -> datetime:
    """Microseconds since the epoch, as a moment in UTC."""
    return _EPOCH + timedelta(microseconds=at_us)


def seconds(value: Duration) -> float:
    """A duration in seconds; ValueError says what is wrong with it."""
    return micros(value) / 1e6


def wait_seconds(timeout: Duration) -> float:
    """How long to wait; InvalidArgument for what is no duration."""
    try:
        return seconds(timeout)
    except ValueError as error:
        raise InvalidArgument(str(error), "timeout") from None


def micros(value: Duration) -> int:
    """A duration in microseconds; ValueError says what is wrong with it."""
    return parse_us(value.total_seconds() if isinstance(value, timedelta) else value)
