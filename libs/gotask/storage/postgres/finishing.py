"""The arguments and the answer of the function ``finish_jobs``."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from google.protobuf.message import DecodeError

from gotask import v1
from gotask.jobs.states import SUCCESS
from gotask.storage.contract import Finish, Finished, FinishStatus
from gotask.storage.postgres.ids import known_ids
from gotask.storage.postgres.text import column

_MESSAGE_LENGTH = 1000
"""Characters of an error's message that people find in a column; the whole is in the job's history."""


def arguments(outcomes: Sequence[Finish], now_us: int) -> list[Any]:
    ids = known_ids(outcome.job_id for outcome in outcomes)
    states = [outcome.state for outcome in outcomes]
    errors = [_error(outcome) for outcome in outcomes] if any(state != SUCCESS for state in states) else None
    return [
        now_us,
        len(set(ids)) < len(ids),
        ids,
        [outcome.attempt for outcome in outcomes],
        states,
        [outcome.history for outcome in outcomes],
        [outcome.result or None for outcome in outcomes],
        [outcome.due_at_us for outcome in outcomes] if errors else None,
        [outcome.forgiven for outcome in outcomes] if any(outcome.forgiven for outcome in outcomes) else None,
        [kind for kind, _ in errors] if errors else None,
        [message for _, message in errors] if errors else None,
    ]


def _error(outcome: Finish) -> tuple[str | None, str | None]:
    """Type and message of the error that the attempt ended with."""
    if outcome.state == SUCCESS:
        return None, None
    try:
        attempts = v1.History.FromString(outcome.history).attempts
    except DecodeError:
        return None, None
    error = attempts[0].error if attempts else v1.JobError()
    return column(error.type) or None, column(error.message[:_MESSAGE_LENGTH]) or None


@lru_cache(maxsize=64)
def _finished(status: int, state: v1.JobState.ValueType) -> Finished:
    return Finished(FinishStatus(status), state)


def results(outcomes: Sequence[Finish], rows: Sequence[Any]) -> list[Finished]:
    """What became of each outcome."""
    finished = [_finished(0, outcome.state) for outcome in outcomes]
    for position, status, state in rows:
        finished[position - 1] = _finished(status, state)
    return finished
