"""What may be said of a job or a queue, by name. The bounds are those of REST."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, TypedDict, TypeVar

from pydantic import BaseModel, ValidationError

from gotask.jobs.field_errors import WHOLE, field_errors
from gotask.sdk.client.times import Duration
from gotask.sdk.errors import InvalidArgument

Model = TypeVar("Model", bound=BaseModel)


class RetryOptions(TypedDict, total=False):
    """How often and when a failed job is tried again."""

    max_retries: int
    retry_strategy: Literal["exponential", "linear", "fixed"]
    retry_delay: Duration
    max_retry_delay: Duration
    retry_jitter: float


class JobDefaults(RetryOptions, total=False):
    """What a handler may say of all its jobs."""

    queue: str
    priority: int
    timeout: Duration
    ttl: Duration
    tags: Sequence[str]
    metadata: Mapping[str, str]


class JobOptions(JobDefaults, total=False):
    """What may be said of one job."""

    delay: Duration
    scheduled_at: datetime
    expires_at: datetime
    idempotency_key: str
    unique_key: str


class ScheduleOptions(JobDefaults, total=False):
    """What may be said of a schedule, and of its jobs."""

    timezone: str
    missed: Literal["skip", "one", "all"]
    overlap: Literal["allow", "skip"]
    starts_at: datetime | None
    ends_at: datetime | None
    jitter: Duration
    unique_key: str | None


class ScheduleChanges(ScheduleOptions, total=False):
    """All that can be changed of a schedule."""

    name: str
    cron_expr: str
    job_type: str
    payload: Any


class QueueOptions(RetryOptions, total=False):
    """A queue's settings."""

    max_workers: int
    max_length: int
    rate_limit: float
    priority: int
    weight: int
    timeout: Duration
    dead_letter: bool
    lease: Duration
    retention_success: Duration
    retention_other: Duration


def checked(model: type[Model], values: Mapping[str, Any]) -> Model:
    """*values* as *model*; InvalidArgument names the first field that is wrong."""
    try:
        return model.model_validate({name: _plain(value) for name, value in values.items()})
    except ValidationError as error:
        raise invalid(error) from None


def invalid(error: ValidationError) -> InvalidArgument:
    """The first of the findings."""
    first = field_errors(error.errors(include_url=False, include_context=False, include_input=False))[0]
    return InvalidArgument(first.reason, "" if first.field == WHOLE else first.field)


def _plain(value: Any) -> Any:
    """As JSON has it."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value
