"""What becomes of a job when an attempt ends: a decision, as a value."""

import random
from collections.abc import Callable
from typing import NamedTuple

from gotask import v1
from gotask.jobs.durations import MAX_US
from gotask.jobs.retry import delay_us
from gotask.jobs.states import CANCELLED, DEAD, FAILED, PENDING, RETRYING, SUCCESS


class Decision(NamedTuple):
    """The job's next state; *due_at_us* when it is RETRYING; *forgiven* when the attempt does not count."""

    state: v1.JobState.ValueType
    due_at_us: int = 0
    forgiven: bool = False


SUCCEEDED = Decision(SUCCESS)
RETURNED = Decision(PENDING, forgiven=True)
WAS_CANCELLED = Decision(CANCELLED)


def after_failure(
    job: v1.Job,
    result: v1.JobResult,
    dead_letter: bool,
    now_us: int,
    rand: Callable[[], float] = random.random,
) -> Decision:
    """After a failed attempt of *job*: cancelled if that was asked for, a retry while there is one, else the end.

    ``Retry(after=...)`` sets the delay of a retry; it does not add one.
    """
    if job.cancel_requested:
        return WAS_CANCELLED
    # Below one for a late result of an attempt that was forgiven since: whatever is decided of it is stale.
    tries = max(result.attempt.attempt - job.attempts_forgiven, 1)
    if result.no_retry or tries > job.spec.retry.max_retries:
        return Decision(_end(dead_letter))
    if result.HasField("retry_after_us"):
        return Decision(RETRYING, now_us + min(result.retry_after_us, MAX_US))
    return Decision(RETRYING, now_us + delay_us(job.spec.retry, tries, rand))


def after_lost_lease(job: v1.Job, dead_letter: bool) -> Decision:
    """After its worker fell silent: back to its place in line while an attempt is left.

    The lost attempt counts, so that a job that kills its workers does not go round for ever.
    """
    if job.cancel_requested:
        return WAS_CANCELLED
    if job.attempt - job.attempts_forgiven > job.spec.retry.max_retries:
        return Decision(_end(dead_letter))
    return Decision(PENDING)


def _end(dead_letter: bool) -> v1.JobState.ValueType:
    return DEAD if dead_letter else FAILED
