"""Cron expressions: when a clock without daylight saving time shows what they name."""

import re
from functools import lru_cache

from croniter import CroniterBadDateError, CroniterError, croniter

MAX_LENGTH = 256
_FIELDS = ("second", "minute", "hour", "day of month", "month", "day of week")
_HINT = (
    "use five fields (minute, hour, day of month, month, day of week), six with the second before them, "
    "@hourly, @daily, @weekly, @monthly, @yearly, or @every with a duration such as '90s'"
)
_ALIASES = frozenset({"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"})
_CHOSEN_BY_CHANCE = re.compile(r"(?<![a-z])[hr](?![a-z])")
_RANGE_OF_ONE = re.compile(r"(?<!\w)(\w+)-\1(?:/\d+)?(?!\w)")
"""Such as ``5-5``, which croniter takes for ``*``."""
_HOUR = 1
_EPOCH_S = 0


class CronExpression:
    """A parsed expression. Make one with :func:`parse`."""

    def __init__(self, fields: str) -> None:
        self._iterator = croniter(fields, _EPOCH_S, second_at_beginning=True)
        self.names_hours = self._iterator.expanded[_HOUR] != ["*"]
        """Whether only some hours of the day match."""

    def next_wall(self, after_s: int) -> int | None:
        """The first wall time after *after_s* that matches, in seconds; None when none does within 50 years."""
        try:
            return round(self._iterator.get_next(float, start_time=after_s))
        except CroniterBadDateError:
            return None


@lru_cache(maxsize=4096)
def parse(text: str) -> CronExpression:
    """*text* as an expression; ValueError says what is wrong with it."""
    if len(text) > MAX_LENGTH:
        raise ValueError(f"is longer than {MAX_LENGTH} characters")
    fields = _RANGE_OF_ONE.sub(r"\1", text.strip().lower())
    if fields not in _ALIASES and len(fields.split()) not in (5, 6):
        raise ValueError(f"{text!r} is not a cron expression: {_HINT}")
    if _CHOSEN_BY_CHANCE.search(fields):
        raise ValueError("H and R, which stand for times chosen by chance, are not known; use jitter instead")
    try:
        expression = CronExpression(fields)
    except CroniterError as error:
        raise ValueError(_explain(text, fields, error)) from None
    if expression.next_wall(_EPOCH_S) is None:
        raise ValueError(f"{text!r} names a date that never comes")
    return expression


def _explain(text: str, fields: str, error: CroniterError) -> str:
    """Which field is wrong: the one that is wrong among others that are not."""
    values = fields.split()
    for place, value in enumerate(values):
        try:
            croniter(" ".join(["*"] * place + [value] + ["*"] * (len(values) - place - 1)), second_at_beginning=True)
        except CroniterError as reason:
            name = _FIELDS[place - len(values)]
            return f"{text!r} is not a cron expression: {name} {value!r} {str(reason).rpartition('] ')[2]}"
    return f"{text!r} is not a cron expression: {error}"
