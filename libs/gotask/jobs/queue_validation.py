"""Whether a queue may be stored as it is: the last check, for queues that came from anywhere."""

import math
from typing import Literal

from gotask import v1
from gotask.jobs import limits
from gotask.jobs.durations import MAX_US, format_us
from gotask.jobs.validation import InvalidJob, check_queue, check_retry

_DURATIONS = ("timeout", "retention_success", "retention_other")
_RETRY_FIELDS: dict[Literal["max_retries", "delay_us", "max_delay_us", "jitter"], str] = {
    "max_retries": "max_retries",
    "delay_us": "retry_delay",
    "max_delay_us": "max_retry_delay",
    "jitter": "retry_jitter",
}
"""The fields of a complete policy, and what users call them."""


def check_queue_settings(queue: v1.Queue) -> None:
    """InvalidJob names the first setting of *queue* that is missing or out of its bounds."""
    check_queue(queue.name)
    _check_range("max_workers", queue.max_workers, 0, limits.MAX_WORKERS)
    _check_range("max_length", queue.max_length, 0, limits.MAX_LENGTH)
    if not (math.isfinite(queue.rate_limit) and 0 <= queue.rate_limit <= limits.MAX_RATE):
        raise InvalidJob("rate_limit", f"{queue.rate_limit:g} is not between 0 and {limits.MAX_RATE}")
    _check_range("priority", queue.priority, 0, limits.MAX_PRIORITY)
    _check_range("weight", queue.weight, 1, limits.MAX_WEIGHT)
    if not limits.MIN_LEASE_US <= queue.lease_us <= limits.MAX_LEASE_US:
        least, most = format_us(limits.MIN_LEASE_US), format_us(limits.MAX_LEASE_US)
        raise InvalidJob("lease", f"{format_us(queue.lease_us)} is not between {least} and {most}")
    for field in _DURATIONS:
        if getattr(queue, f"{field}_us") > MAX_US:
            raise InvalidJob(field, "is longer than ten years")
    check_retry(queue.retry)
    for field, of_users in _RETRY_FIELDS.items():
        if not queue.retry.HasField(field):
            raise InvalidJob(of_users, "is missing")
    if not queue.retry.strategy:
        raise InvalidJob("retry_strategy", "use exponential, linear or fixed")


def _check_range(field: str, number: int, least: int, most: int) -> None:
    if not least <= number <= most:
        raise InvalidJob(field, f"{number} is not between {least} and {most}")
