"""Exit codes, for scripts.

====  =================================================================================================
0     done; a job that was waited for ended in success
1     refused: the state of a job or queue forbids it; or a job that was waited for ended otherwise
2     wrong usage: an option, an argument or a line of input
3     try again later: nobody answered, or the queue is full
4     there is no such job, queue, schedule or worker
5     a job that was waited for had not ended in time
6     not allowed
130   interrupted
====  =================================================================================================
"""

from enum import IntEnum

from gotask.sdk.errors import (
    GoTaskError,
    InvalidArgument,
    NotAllowed,
    NotFound,
    QueueFull,
    Unavailable,
    WaitTimeout,
)


class Exit(IntEnum):
    DONE = 0
    REFUSED = 1
    USAGE = 2
    LATER = 3
    NOT_FOUND = 4
    TIMEOUT = 5
    NOT_ALLOWED = 6
    INTERRUPTED = 130


_OF_ERRORS: tuple[tuple[type[GoTaskError], Exit], ...] = (
    (InvalidArgument, Exit.USAGE),
    (NotFound, Exit.NOT_FOUND),
    (NotAllowed, Exit.NOT_ALLOWED),
    (WaitTimeout, Exit.TIMEOUT),
    (Unavailable, Exit.LATER),
    (QueueFull, Exit.LATER),
)


def exit_of(error: GoTaskError) -> Exit:
    """The exit code of a command that ended with *error*."""
    return next((code for kind, code in _OF_ERRORS if isinstance(error, kind)), Exit.REFUSED)
