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
