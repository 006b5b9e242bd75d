"""JSON: from a job to its handler, and back."""

from typing import Any

import orjson

from gotask import v1
from gotask.jobs.limits import MAX_RESULT_BYTES
from gotask.sdk.errors import NoRetry


class InvalidResult(NoRetry):
    """What a handler returned is not JSON, or too much of it."""


def decode_payload(spec: v1.JobSpec) -> Any:
    return orjson.loads(spec.payload) if spec.payload else None


def encode_result(value: Any) -> bytes:
    """InvalidResult says what is wrong with *value*."""
    if value is None:
        return b""
    try:
        data = orjson.dumps(value, default=_jsonable)
    except (TypeError, ValueError) as error:
        raise InvalidResult(f"the handler's return value is not JSON: {error}") from None
    if len(data) > MAX_RESULT_BYTES:
        raise InvalidResult(f"the handler returned {len(data)} bytes of JSON; the limit is {MAX_RESULT_BYTES}")
    return data


def _jsonable(value: Any) -> Any:
    dump = getattr(value, "model_dump", None)
    if dump is None:
        raise TypeError(f"{type(value).__name__} has no JSON form")
    return dump(mode="json")
