"""Points in time and durations, as documents show them."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from gotask.jobs.durations import format_us

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST_S = round((datetime(1, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds())
_LATEST_S = round((datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - _EPOCH).total_seconds())


def moment(at_us: int) -> str | None:
    """RFC 3339 in UTC with microseconds; None for 0, which means "not set". Years 1 to 9999: others become these."""
    if not at_us:
        return None
    seconds, micros = divmod(at_us, 1_000_000)
    return f"{_to_the_second(seconds)}.{micros:06d}Z"


@lru_cache(maxsize=4096)
def _to_the_second(seconds: int) -> str:
    within = min(max(seconds, _EARLIEST_S), _LATEST_S)
    return (_EPOCH + timedelta(seconds=within)).isoformat()[:19]


@lru_cache(maxsize=4096)
def duration(micros: int) -> str:
    """Such as "5m"."""
    return format_us(micros)
