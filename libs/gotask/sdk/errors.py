"""What a handler may raise to say more than "it failed"."""

from gotask.jobs.durations import parse_us


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
