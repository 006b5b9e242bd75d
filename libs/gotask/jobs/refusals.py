"""Why the state of a job does not allow a command, as the end of "job ... "."""

from typing import TypeAlias

from gotask import v1
from gotask.jobs.states import RETRYABLE, TERMINAL, name_of

State: TypeAlias = v1.JobState.ValueType


def why_not_cancelled(state: State) -> str:
    if state in TERMINAL:
        return f"is {name_of(state)} already"
    return "is to be cancelled already; its worker has been told"


def why_not_deleted(state: State) -> str:
    return f"is {name_of(state)}; cancel it before you delete it"


def why_not_retried(state: State) -> str:
    if state in RETRYABLE:
        return f"stays {name_of(state)}: another job that is not finished holds its unique key by now"
    return f"is {name_of(state)}; only failed, dead, cancelled and expired jobs can be retried"
