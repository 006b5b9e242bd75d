"""What pydantic found wrong, as users of a queue read it."""

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import ValidationError

_MAX = 5
_MISSING = "missing"


def complaints(where: str, value: Any, error: ValidationError) -> list[str]:
    """A line for each finding, at most five: the field's path below *where*, and the reason."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    lines = [f"{where}{''.join(_path(each['loc'], value, each['type']))}: {_reason(each)}" for each in found[:_MAX]]
    if len(found) > _MAX:
        lines.append(f"{where}: and {len(found) - _MAX} more")
    return lines


def _path(location: Sequence[int | str], value: Any, kind: str) -> Iterator[str]:
    """The parts of a path. Members of a union are parts of pydantic's location, too, but no fields: they are put in
    brackets."""
    for index, part in enumerate(location):
        is_last = index == len(location) - 1
        if _has(value, part):
            value = value[part]
            yield f".{part}"
        elif is_last and kind == _MISSING:
            yield f".{part}"
        elif part != "[key]":
            yield f" (as {part})"


def _has(value: Any, part: int | str) -> bool:
    if isinstance(value, list):
        return isinstance(part, int) and part < len(value)
    return isinstance(value, dict) and part in value


def _reason(found: Any) -> str:
    if found["type"] == _MISSING:
        return "is missing"
    return str(found["msg"]).removeprefix("Value error, ")
