"""Whether a job may be stored as it is: the last check, for jobs that came from anywhere."""

from functools import lru_cache

import orjson

from gotask import v1
from gotask.jobs import limits
from gotask.jobs.durations import MAX_US
from gotask.jobs.ids import is_id


class InvalidJob(ValueError):
    """A field of a job is wrong. *field* is its path, as users write it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@lru_cache(maxsize=4096)
def check_type(job_type: str) -> None:
    """InvalidJob unless *job_type* is a handler's name."""
    if not limits.TYPE.fullmatch(job_type):
        raise InvalidJob("type", "use 1 to 128 letters, digits and the characters _ . : / -")


@lru_cache(maxsize=4096)
def check_queue(queue: str) -> None:
    """InvalidJob unless *queue* is a queue's name."""
    if not limits.QUEUE.fullmatch(queue):
        raise InvalidJob("queue", "use 1 to 64 letters, digits, '_' and '-'")


def check_spec(spec: v1.JobSpec, max_payload_bytes: int = limits.MAX_PAYLOAD_BYTES) -> None:
    """InvalidJob names the first field of *spec* that is out of its bounds. Costs about a microsecond."""
    check_type(spec.type)
    check_queue(spec.queue)
    if not is_id(spec.id):
        raise InvalidJob("id", "must be a UUIDv7 in lower-case text form")
    if spec.priority > limits.MAX_PRIORITY:
        raise InvalidJob("priority", f"{spec.priority} is above {limits.MAX_PRIORITY}")
    payload = spec.payload
    if payload:
        check_payload(payload, max_payload_bytes)
    if spec.timeout_us > MAX_US:
        raise InvalidJob("timeout", "is longer than ten years")
    if spec.HasField("retry"):
        check_retry(spec.retry)
    if spec.unique_key or spec.idempotency_key:
        _check_keys(spec)
    if spec.tags:
        _check_tags(spec)
    if spec.metadata:
        _check_metadata(spec)


def check_payload(payload: bytes, max_bytes: int) -> None:
    """InvalidJob unless *payload* is JSON of at most *max_bytes*."""
    if len(payload) > max_bytes:
        raise InvalidJob("payload", f"{len(payload)} bytes of JSON; the limit is {max_bytes}")
    try:
        orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise InvalidJob("payload", f"is not JSON: {error}") from None


def check_retry(policy: v1.RetryPolicy) -> None:
    """InvalidJob unless the fields that are set lie within their bounds."""
    if policy.max_retries > limits.MAX_RETRIES:
        raise InvalidJob("max_retries", f"{policy.max_retries} is above {limits.MAX_RETRIES}")
    if policy.strategy not in v1.RetryStrategy.values():
        raise InvalidJob("retry_strategy", "use exponential, linear or fixed")
    if policy.delay_us > MAX_US:
        raise InvalidJob("retry_delay", "is longer than ten years")
    if policy.max_delay_us > MAX_US:
        raise InvalidJob("max_retry_delay", "is longer than ten years")
    if not 0 <= policy.jitter <= 1:
        raise InvalidJob("retry_jitter", f"{policy.jitter:g} is not between 0 and 1")


def _check_keys(spec: v1.JobSpec) -> None:
    for field, key in (("idempotency_key", spec.idempotency_key), ("unique_key", spec.unique_key)):
        if len(key) > limits.KEY_LENGTH:
            raise InvalidJob(field, f"is longer than {limits.KEY_LENGTH} characters")
        _check_text(field, key)


def _check_text(field: str, text: str) -> None:
    """There are storages that cannot hold a NUL character."""
    if "\0" in text:
        raise InvalidJob(field, "holds a NUL character")


def _check_tags(spec: v1.JobSpec) -> None:
    if len(spec.tags) > limits.MAX_TAGS:
        raise InvalidJob("tags", f"{len(spec.tags)} tags; the limit is {limits.MAX_TAGS}")
    for index, tag in enumerate(spec.tags):
        if not 1 <= len(tag) <= limits.TAG_LENGTH:
            raise InvalidJob(f"tags.{index}", f"use 1 to {limits.TAG_LENGTH} characters")
        _check_text(f"tags.{index}", tag)


def _check_metadata(spec: v1.JobSpec) -> None:
    if len(spec.metadata) > limits.MAX_METADATA:
        raise InvalidJob("metadata", f"{len(spec.metadata)} entries; the limit is {limits.MAX_METADATA}")
    for key, value in spec.metadata.items():
        if not 1 <= len(key) <= limits.METADATA_KEY_LENGTH:
            raise InvalidJob("metadata", f"keys have 1 to {limits.METADATA_KEY_LENGTH} characters")
        if len(value) > limits.METADATA_VALUE_LENGTH:
            raise InvalidJob(f"metadata.{key}", f"is longer than {limits.METADATA_VALUE_LENGTH} characters")
