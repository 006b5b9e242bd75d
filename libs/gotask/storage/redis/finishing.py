"""The arguments and the answer of ``lua/finish.lua``."""

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from gotask import v1
from gotask.jobs.states import SUCCESS
from gotask.storage.contract import Finish, Finished, FinishStatus
from gotask.storage.redis.packing import joined
from gotask.storage.redis.records import fragment

_INLINE_RESULT_BYTES = 1024
"""Larger results are kept apart from the record, which every script that touches the job reads."""
_STATUSES = tuple(FinishStatus)
_LENGTHS = struct.Struct(">BBI")


@lru_cache(maxsize=4096)
def _head(attempt: int, state: v1.JobState.ValueType, forgiven: bool, due_at_us: int) -> bytes:
    return b"%b%c%c%d" % (attempt.to_bytes(4, "big"), state, forgiven, due_at_us)


def arguments(outcomes: Sequence[Finish], now_us: int) -> list[Any]:
    pieces: list[bytes] = []
    large: list[Any] = []
    for number, (job_id, _, attempt, state, history, result, due_at_us, forgiven) in enumerate(outcomes, 1):
        kept = result if state == SUCCESS else b""
        if len(kept) > _INLINE_RESULT_BYTES:
            large += (number, kept)
            kept = b""
        key, head, tail = job_id.encode(), _head(attempt, state, forgiven, due_at_us), fragment(history, kept)
        pieces.append(_LENGTHS.pack(len(key), len(head), len(tail)) + key + head + tail)
    strings = list(joined(pieces))
    return [now_us, len(strings), *strings, *large]


@lru_cache(maxsize=64)
def _finished(status: int, state: v1.JobState.ValueType) -> Finished:
    return Finished(_STATUSES[status], state)


def results(answer: bytes) -> list[Finished]:
    states: Sequence[Any] = answer[1::2]
    return [_finished(status, state) for status, state in zip(answer[::2], states, strict=True)]
