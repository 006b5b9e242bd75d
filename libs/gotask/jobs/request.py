"""A job and a queue as users write them in JSON, and back."""

import math
import re
from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from gotask import v1
from gotask.jobs import limits
from gotask.jobs.durations import PATTERN, parse_us
from gotask.jobs.validation import InvalidJob, check_payload

_STRATEGIES = {
    "exponential": v1.RETRY_STRATEGY_EXPONENTIAL,
    "linear": v1.RETRY_STRATEGY_LINEAR,
    "fixed": v1.RETRY_STRATEGY_FIXED,
}
_DATE = re.compile(r"\d{4}-\d\d-\d\d[Tt ]")
STRATEGY_NAMES = {value: name for name, value in _STRATEGIES.items()}

Duration = Annotated[
    int,
    BeforeValidator(parse_us),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "pattern": PATTERN}, {"type": "number", "minimum": 0}],
            "description": "A duration: seconds, or a string such as '250ms', '90s' or '1h30m'; ten years at most.",
            "examples": ["5m"],
        }
    ),
]
"""Given as a duration, held in microseconds."""


def _written_out(value: Any) -> Any:
    """Keeps pydantic from reading numbers, and strings of digits, as seconds or milliseconds since 1970."""
    if not isinstance(value, str) or not _DATE.match(value):
        raise ValueError("must be a datetime as RFC 3339 has it, such as '2030-01-31T09:00:00Z'")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out), Field(strict=False)]
"""A point in time, as RFC 3339 writes it."""

QueueName = Annotated[str, Field(pattern=rf"^{limits.QUEUE.pattern}$", examples=["default"])]
JobType = Annotated[str, Field(pattern=rf"^{limits.TYPE.pattern}$", examples=["echo"])]
_NO_NUL = r"^[^\x00]*$"
Key = Annotated[str, Field(min_length=1, max_length=limits.KEY_LENGTH, pattern=_NO_NUL)]
Tag = Annotated[str, Field(min_length=1, max_length=limits.TAG_LENGTH, pattern=_NO_NUL)]
MetadataKey = Annotated[str, Field(min_length=1, max_length=limits.METADATA_KEY_LENGTH)]
MetadataValue = Annotated[str, Field(max_length=limits.METADATA_VALUE_LENGTH)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)


class RetryFields(_Strict):
    """How often and when a failed job is tried again."""

    max_retries: Annotated[int, Field(ge=0, le=limits.MAX_RETRIES)] | None = None
    """Attempts after the first."""
    retry_strategy: Literal["exponential", "linear", "fixed"] | None = None
    """Delay before retry n: d*2^(n-1), d*n, or d."""
    retry_delay: Duration | None = None
    """The delay that the strategy begins with."""
    max_retry_delay: Duration | None = None
    """No delay is longer than this."""
    retry_jitter: Annotated[float, Field(ge=0, le=1)] | None = None
    """The delay varies by up to this share of itself, either way."""

    def retry_policy(self) -> v1.RetryPolicy | None:
        """The fields that were given; None when there are none."""
        policy = v1.RetryPolicy(
            max_retries=self.max_retries,
            strategy=_STRATEGIES[self.retry_strategy] if self.retry_strategy else v1.RETRY_STRATEGY_UNSPECIFIED,
            delay_us=self.retry_delay,
            max_delay_us=self.max_retry_delay,
            jitter=self.retry_jitter,
        )
        return policy if policy.ByteSize() else None


class JobFields(RetryFields):
    """What a job and a schedule of jobs have in common."""

    queue: QueueName = limits.DEFAULT_QUEUE
    """Where it waits; created on first use, where that is allowed."""
    payload: Any = None
    """Any JSON, handed to the handler."""
    priority: Annotated[int, Field(ge=0, le=limits.MAX_PRIORITY)] = limits.DEFAULT_PRIORITY
    """Higher first; equal ones in order of arrival."""
    timeout: Duration | None = None
    """One attempt's limit."""
    unique_key: Key | None = None
    """At most one job with this key is not finished; a second submission is answered with the first."""
    tags: Annotated[list[Tag], Field(max_length=limits.MAX_TAGS, default_factory=list)]
    """For filtering."""
    metadata: Annotated[dict[MetadataKey, MetadataValue], Field(max_length=limits.MAX_METADATA, default_factory=dict)]
    """Handed to the handler, and told with the job's events."""

    def job_of_type(self, job_type: str, max_payload_bytes: int) -> v1.JobSpec:
        """A job with these fields; InvalidJob when its payload is too large."""
        spec = v1.JobSpec(type=job_type, queue=self.queue, priority=self.priority, retry=self.retry_policy())
        if self.payload is not None:
            spec.payload = _encode(self.payload)
            check_payload(spec.payload, max_payload_bytes)
        if self.timeout is not None:
            spec.timeout_us = self.timeout
        if self.unique_key:
            spec.unique_key = self.unique_key
        if self.tags:
            spec.tags.extend(self.tags)
        if self.metadata:
            spec.metadata.update(self.metadata)
        return spec


class JobRequest(JobFields):
    """A job to run."""

    type: JobType
    """The name of its handler."""
    scheduled_at: Moment | None = None
    """Runs no earlier than this moment (RFC 3339)."""
    delay: Duration | None = None
    """Runs no earlier than this long from now. Not together with scheduled_at."""
    expires_at: Moment | None = None
    """Does not start after this moment (RFC 3339)."""
    ttl: Duration | None = None
    """Does not start later than this long from now. Not together with expires_at."""
    idempotency_key: Key | None = None
    """A second submission with the same key is answered with the first job."""

    @model_validator(mode="after")
    def _one_of_each(self) -> "JobRequest":
        if self.scheduled_at is not None and self.delay is not None:
            raise ValueError("give scheduled_at or delay, not both")
        if self.expires_at is not None and self.ttl is not None:
            raise ValueError("give expires_at or ttl, not both")
        return self

    def to_spec(self, job_id: str, now_us: int, max_payload_bytes: int = limits.MAX_PAYLOAD_BYTES) -> v1.JobSpec:
        """The job to submit; InvalidJob when its payload is too large."""
        spec = self.job_of_type(self.type, max_payload_bytes)
        spec.id = job_id
        spec.created_at_us = now_us
        if self.scheduled_at is not None:
            spec.scheduled_at_us = moment_us(self.scheduled_at)
        elif self.delay:
            spec.scheduled_at_us = now_us + self.delay
        if self.expires_at is not None:
            spec.expires_at_us = moment_us(self.expires_at)
        elif self.ttl is not None:
            spec.expires_at_us = now_us + self.ttl
        if self.idempotency_key:
            spec.idempotency_key = self.idempotency_key
        return spec


def moment_us(at: datetime) -> int:
    """A point in time in microseconds since the epoch."""
    return round(at.timestamp() * 1e6)


def _encode(payload: Any) -> bytes:
    try:
        encoded = orjson.dumps(payload)
    except (TypeError, ValueError) as error:
        raise InvalidJob("payload", f"is not JSON: {error}") from None
    # orjson writes NaN and the infinities as null.
    if b"null" in encoded and not _finite(payload):
        raise InvalidJob("payload", "is not JSON: it holds NaN or an infinity, or a number too large for a double")
    return encoded


def _finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(_finite(each) for each in value.values())
    if isinstance(value, list | tuple):
        return all(_finite(each) for each in value)
    return True


class QueueFields(RetryFields):
    """A queue's settings; those not given take their defaults."""

    max_workers: Annotated[int, Field(ge=0, le=limits.MAX_WORKERS)] = 0
    """Jobs running at once over the whole fleet; 0 is no limit."""
    max_length: Annotated[int, Field(ge=0, le=limits.MAX_LENGTH)] = 0
    """Jobs waiting; a submission to a full queue is refused with 429. 0 is no limit."""
    rate_limit: Annotated[float, Field(ge=0, le=limits.MAX_RATE)] = 0
    """Jobs started per second over the whole fleet; 0 is no limit."""
    priority: Annotated[int, Field(ge=0, le=limits.MAX_PRIORITY)] = limits.DEFAULT_PRIORITY
    """Strict between queues: a worker that serves several takes from the highest first."""
    weight: Annotated[int, Field(ge=1, le=limits.MAX_WEIGHT)] = 1
    """Share between queues of equal priority."""
    timeout: Duration = 5 * 60 * 1_000_000
    """One attempt's limit, for jobs that give none."""
    dead_letter: bool = True
    """Whether a job with no attempt left is kept as a dead letter; otherwise it ends failed."""
    lease: Annotated[Duration, Field(ge=limits.MIN_LEASE_US, le=limits.MAX_LEASE_US)] = 30 * 1_000_000
    """How long a silent worker keeps a job."""
    retention_success: Duration = 24 * 3600 * 1_000_000
    """How long jobs that ended in success are kept."""
    retention_other: Duration = 7 * 24 * 3600 * 1_000_000
    """How long jobs that ended otherwise are kept."""

    def to_queue(self, name: str, now_us: int) -> v1.Queue:
        """The queue with every default filled in."""
        queue = v1.Queue(
            name=name,
            max_workers=self.max_workers,
            max_length=self.max_length,
            rate_limit=self.rate_limit,
            priority=self.priority,
            weight=self.weight,
            retry=DEFAULT_RETRY,
            timeout_us=self.timeout,
            dead_letter=self.dead_letter,
            lease_us=self.lease,
            retention_success_us=self.retention_success,
            retention_other_us=self.retention_other,
            created_at_us=now_us,
            updated_at_us=now_us,
        )
        if given := self.retry_policy():
            queue.retry.MergeFrom(given)
        return queue


class QueueRequest(QueueFields):
    """A queue to create."""

    name: QueueName
    """Jobs name it."""


DEFAULT_RETRY = v1.RetryPolicy(
    max_retries=3,
    strategy=v1.RETRY_STRATEGY_EXPONENTIAL,
    delay_us=60 * 1_000_000,
    max_delay_us=3600 * 1_000_000,
    jitter=0,
)
"""What a queue's jobs do when nobody says otherwise: 3 retries, after 1, 2 and 4 minutes."""


def default_queue(name: str, now_us: int) -> v1.Queue:
    """A queue as it is made on first use."""
    return QueueFields().to_queue(name, now_us)
