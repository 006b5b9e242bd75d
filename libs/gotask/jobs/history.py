"""A job's history as it is kept: a serialized v1.History, to which runs are appended by concatenation."""

from gotask import v1
from gotask.jobs.wire import field

_ATTEMPTS = b"\x0a"


def history_of(attempt: v1.Attempt) -> bytes:
    """A serialized v1.History with this one attempt."""
    return field(_ATTEMPTS, attempt.SerializeToString())


def shorten_history(job: v1.Job, attempts: int) -> None:
    """Only the newest *attempts* stay, without tracebacks: for where there is little room."""
    del job.history.attempts[:-attempts]
    for attempt in job.history.attempts:
        attempt.error.ClearField("traceback")
