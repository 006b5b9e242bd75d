"""Durations as users write them: "90s", "1h30m", "250ms", or a number of seconds."""

import re
from decimal import Decimal

_UNITS_US = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
}
_PART = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m|h|d)")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
PATTERN = rf"^\s*({_NUMBER.pattern}|({_PART.pattern})+)\s*$"
"""What every duration that is written as a string looks like."""
_LONGEST = 400
"""Characters: room for any float that is written out, and no more."""
MAX_US = 10 * 366 * _UNITS_US["d"]
"""Ten years: longer than any wait that is meant."""


def parse_us(value: str | int | float) -> int:
    """Microseconds of a duration.

    A number, or a string that holds only a number, counts seconds; otherwise parts such as ``1h30m`` add up.
    ValueError says what is wrong: not a duration, negative, or beyond ten years.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        # A ValueError, which pydantic reports as a wrong field, as it does not with a TypeError.
        raise ValueError(  # noqa: TRY004
            f"not a duration: {value!r}; write seconds or a string such as '90s' or '1h30m'"
        )
    text = str(value).strip() if isinstance(value, str) else format(Decimal(repr(value)), "f")
    if len(text) > _LONGEST:
        raise ValueError(f"not a duration: {len(text)} characters")
    if _NUMBER.fullmatch(text):
        micros = int(Decimal(text) * _UNITS_US["s"])
    elif _WHOLE.fullmatch(text):
        micros = int(sum(Decimal(number) * _UNITS_US[unit] for number, unit in _PART.findall(text)))
    else:
        raise ValueError(f"not a duration: {value!r}; write seconds or a string such as '90s' or '1h30m'")
    if micros > MAX_US:
        raise ValueError(f"duration {value!r} is longer than ten years")
    return micros


def format_us(micros: int) -> str:
    """The shortest string that :func:`parse_us` reads back as *micros*."""
    if micros == 0:
        return "0s"
    parts = []
    for unit in ("d", "h", "m", "s", "ms", "us"):
        count, micros = divmod(micros, _UNITS_US[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)
