"""A queue's settings as gRPC clients write them."""

from typing import Any

from gotask import v1
from gotask.jobs.durations import format_us
from gotask.jobs.request import STRATEGY_NAMES, QueueRequest

_PLAIN = ("max_workers", "max_length", "rate_limit", "priority", "weight", "dead_letter")
_DURATIONS = {
    "timeout_us": "timeout",
    "lease_us": "lease",
    "retention_success_us": "retention_success",
    "retention_other_us": "retention_other",
}
_RETRY_DURATIONS = {"delay_us": "retry_delay", "max_delay_us": "max_retry_delay"}


def queue_of(settings: v1.QueueSettings, now_us: int) -> v1.Queue:
    """The queue, with every default filled in. ValidationError names fields as REST does."""
    given: dict[str, Any] = {"name": settings.name}
    given |= {name: getattr(settings, name) for name in _PLAIN if settings.HasField(name)}  # type: ignore[arg-type]
    given |= _durations(settings, _DURATIONS)
    given |= _durations(settings.retry, _RETRY_DURATIONS)
    if settings.retry.HasField("max_retries"):
        given["max_retries"] = settings.retry.max_retries
    if settings.retry.strategy:
        given["retry_strategy"] = STRATEGY_NAMES.get(settings.retry.strategy, str(settings.retry.strategy))
    if settings.retry.HasField("jitter"):
        given["retry_jitter"] = settings.retry.jitter
    return QueueRequest.model_validate(given).to_queue(settings.name, now_us)


def _durations(message: v1.QueueSettings | v1.RetryPolicy, names: dict[str, str]) -> dict[str, str]:
    return {
        name: format_us(getattr(message, field))
        for field, name in names.items()
        if message.HasField(field)  # type: ignore[arg-type]
    }
