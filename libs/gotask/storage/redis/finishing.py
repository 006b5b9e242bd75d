"""The arguments and the answer of ``lua/finish.lua``."""

from collections.abc import Sequence
from typing import Any

from gotask import v1
from gotask.jobs.states import SUCCESS
from gotask.storage.contract import Finish, Finished, FinishStatus
from gotask.storage.redis.records import fragment, token

_INLINE_RESULT_BYTES = 1024
"""Larger results are kept apart from the record, which every script that touches the job reads."""
_STATUSES = tuple(FinishStatus)


def arguments(outcomes: Sequence[Finish], now_us: int) -> list[Any]:
    args: list[Any] = [now_us]
    large: list[Any] = [""]
    for number, (job_id, _, attempt, state, history, result, due_at_us, forgiven) in enumerate(outcomes, 1):
        kept = result if state == SUCCESS else b""
        if len(kept) > _INLINE_RESULT_BYTES:
            large += (number, kept)
            kept = b""
        head = b"%b%c%c%d" % (token(attempt), state, forgiven, due_at_us)
        args += (job_id, head, fragment(history, kept))
    return args + large


def results(answer: bytes) -> list[Finished]:
    return [
        Finished(_STATUSES[status], v1.JobState.ValueType(state))
        for status, state in zip(answer[::2], answer[1::2], strict=True)
    ]
