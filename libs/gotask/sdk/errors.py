"""What a handler may raise to say more than "it failed", and what a client may raise.

GoTaskError
├── InvalidArgument       a field is wrong: ``field`` is its path
├── NotFound              there is no such job, queue, schedule
├── AlreadyExists         the name is taken
├── Refused               the state of the job or queue forbids it
├── QueueFull             the queue is full, or you are too fast: nothing was stored; try again later
├── NotAllowed            who you are forbids it
│   └── Unauthenticated   nobody knows who you are
├── Unavailable           nobody answered in time, or what answered cannot do it now
├── InternalError         something went wrong on the other side; its log knows more
├── WaitTimeout           the job had not ended in time
├── JobFailed             the job ended without success: ``job`` tells how
└── SubmitFailed          some of many jobs were refused: ``outcomes`` has each one's
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gotask.bus.errors import Code
from gotask.jobs.durations import parse_us

if TYPE_CHECKING:
    from gotask.sdk.client.job import Job


class Retry(Exception):
    """The attempt failed; try again *after* that long ("90s", or seconds) instead of after the policy's delay.

    It uses up an attempt as any failure does.
    """

    def __init__(self, message: str = "retry", *, after: str | float) -> None:
        super().__init__(message)
        self.after_us = parse_us(after)


class NoRetry(Exception):
    """The attempt failed, and so would every other: do not try again."""


class Cancelled(Exception):
    """The handler saw that its job is to be cancelled, and stopped."""


class Timeout(Exception):
    """The attempt took longer than its job allows."""


class RemoteError(Exception):
    """What a handler in a process raised, as the worker heard of it."""

    def __init__(self, error_type: str, message: str, traceback: str) -> None:
        super().__init__(f"{error_type}: {message}")
        self.error_type = error_type
        """The name of the exception's class."""
        self.message = message
        self.traceback = traceback
        """As text, cut to 16 KiB."""


class ProcessCrashed(Exception):
    """The process in which the handler ran ended, or could not be started; the text says how."""


class GoTaskError(Exception):
    """What a client was told, or could not be told. ``code`` is gRPC's, in lower case; ``field`` the path of the input
    that was wrong, or empty."""

    code = "unknown"

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.message = message
        self.field = field


class InvalidArgument(GoTaskError):
    """A value is out of its bounds, or not of its type."""

    code = "invalid_argument"


class NotFound(GoTaskError):
    """There is no such job, queue or schedule."""

    code = "not_found"


class AlreadyExists(GoTaskError):
    """The name is taken."""

    code = "already_exists"


class Refused(GoTaskError):
    """The state of things forbids it: a job that has ended cannot be cancelled, a queue with jobs not deleted."""

    code = "failed_precondition"


class QueueFull(GoTaskError):
    """Nothing was stored, for there is too much already: try again later."""

    code = "resource_exhausted"


class NotAllowed(GoTaskError):
    """The key lacks the scope, or may not touch that queue."""

    code = "permission_denied"


class Unauthenticated(NotAllowed):
    """There is no key, or none that is known."""

    code = "unauthenticated"


class Unavailable(GoTaskError):
    """Nobody answered in time, or who answered cannot do it now. A change may have been made nevertheless."""

    code = "unavailable"


class InternalError(GoTaskError):
    """Something went wrong on the other side; its log knows more."""

    code = "internal"


class WaitTimeout(GoTaskError, TimeoutError):
    """The job had not ended in time. It goes on: wait again."""

    code = "deadline_exceeded"


class JobFailed(GoTaskError):
    """The job ended, and not in success. ``job`` tells how: its status, its error, its history."""

    code = "job_failed"

    def __init__(self, job: "Job") -> None:
        why = f": {job.error.type}: {job.error.message}" if job.error is not None else ""
        super().__init__(f"job {job.id} ({job.type}) ended {job.status}{why}")
        self.job = job


class SubmitFailed(GoTaskError):
    """Of many jobs that were submitted together, some were refused. ``outcomes`` has a handle or an error for each, in
    order: what is a handle was taken."""

    code = "submit_failed"

    def __init__(self, outcomes: Sequence[Any]) -> None:
        refused = [(place, each) for place, each in enumerate(outcomes) if isinstance(each, GoTaskError)]
        place, first = refused[0]
        super().__init__(f"{len(refused)} of {len(outcomes)} jobs were refused; the first, number {place}: {first}")
        self.outcomes = outcomes


_BY_CODE: dict[int, type[GoTaskError]] = {
    Code.INVALID_ARGUMENT: InvalidArgument,
    Code.DEADLINE_EXCEEDED: Unavailable,
    Code.NOT_FOUND: NotFound,
    Code.ALREADY_EXISTS: AlreadyExists,
    Code.PERMISSION_DENIED: NotAllowed,
    Code.RESOURCE_EXHAUSTED: QueueFull,
    Code.FAILED_PRECONDITION: Refused,
    Code.UNAVAILABLE: Unavailable,
    Code.UNAUTHENTICATED: Unauthenticated,
}


def error_of(code: int, message: str, field: str = "") -> GoTaskError:
    """The error for a status code of google.rpc.Code."""
    return _BY_CODE.get(code, InternalError)(message, field)
