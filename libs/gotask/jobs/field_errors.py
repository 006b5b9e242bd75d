"""What is wrong with an input, field by field, in the words that every door uses."""

from collections.abc import Sequence
from typing import Any, NamedTuple

WHOLE = "body"
"""The path of the whole input."""

_REASONS = {
    "extra_forbidden": "there is no such field",
    "missing": "is required",
    "model_type": "must be a JSON object",
}


class FieldError(NamedTuple):
    """*field* is its path as users write it, such as ``jobs.3.priority``."""

    field: str
    reason: str

    def below(self, path: str) -> "FieldError":
        """The same in a part of a larger input."""
        return FieldError(path if self.field == WHOLE else f"{path}.{self.field}", self.reason)


def field_errors(found: Sequence[Any]) -> list[FieldError]:
    """The findings of pydantic (``ValidationError.errors()``), one per field."""
    return [
        FieldError(_path_of(each["loc"]), _REASONS.get(each["type"]) or str(each["msg"]).removeprefix("Value error, "))
        for each in found
    ]


def _path_of(location: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in location if part != "[key]") or WHOLE
