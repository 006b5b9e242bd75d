"""Answers that are no larger than a message may be."""

from collections.abc import Iterable
from typing import TypeVar

from google.protobuf.message import Message

_ENVELOPE_BYTES = 512
_FIELD_BYTES = 8

Item = TypeVar("Item", bound=Message)


def room_in(max_payload: int) -> int:
    """How many bytes an answer may have, where a message may have *max_payload*."""
    return max_payload - _ENVELOPE_BYTES


def that_fit(items: Iterable[Item], room: int) -> list[Item]:
    """The first of them, as many as *room* bytes hold."""
    fitting = []
    for item in items:
        room -= item.ByteSize() + _FIELD_BYTES
        if room < 0:
            break
        fitting.append(item)
    return fitting
