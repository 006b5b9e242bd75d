"""Errors as problem documents (RFC 9457), and the one place where codes become HTTP statuses."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson
from pydantic import ValidationError
from starlette.responses import Response

from gotask.bus.errors import BusError, Code, CommandError
from gotask.jobs.validation import InvalidJob
from gotask.storage.contract import StorageUnavailable

PROBLEM_JSON = "application/problem+json"

STATUSES = {
    Code.INVALID_ARGUMENT: 422,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.FAILED_PRECONDITION: 409,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.UNAVAILABLE: 503,
    Code.DEADLINE_EXCEEDED: 504,
    Code.INTERNAL: 500,
}
RETRY_AFTER_S = {429: 5, 503: 2}
"""What callers who are to come back are told to wait, in seconds."""

_BODY = "body"
_MAX_ERRORS = 20
_MAX_TEXT = 500
_REASONS = {
    "extra_forbidden": "there is no such field",
    "missing": "is required",
    "model_type": "must be a JSON object",
}


class FieldError(NamedTuple):
    """*field* is its path as users write it, such as ``jobs.3.priority``."""

    field: str
    reason: str


class Problem(Exception):
    """An answer that is an error."""

    def __init__(
        self, status: int, detail: str, errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}

    def below(self, path: str) -> "Problem":
        """The same for a part of a larger body: its fields begin with *path*."""
        errors = [
            FieldError(path if error.field == _BODY else f"{path}.{error.field}", error.reason) for error in self.errors
        ]
        return Problem(self.status, self.detail, errors, self.headers)

    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "errors": [{"field": error.field, "reason": error.reason} for error in self.errors],
        }
        if self.status in RETRY_AFTER_S:
            document["retry_after"] = RETRY_AFTER_S[self.status]
        return document

    def response(self) -> Response:
        headers = dict(self.headers)
        if self.status in RETRY_AFTER_S:
            headers["Retry-After"] = str(RETRY_AFTER_S[self.status])
        return Response(orjson.dumps(self.document()), self.status, headers, media_type=PROBLEM_JSON)


def problem_of(error: Exception) -> Problem:
    """*error* as users are told of it. Errors that are not theirs to know become 500 without details."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, CommandError):
        errors = [FieldError(error.field, error.message)] if error.field else []
        return Problem(STATUSES.get(error.code, 500), _shortened(error.message), errors)
    if isinstance(error, InvalidJob):
        return invalid([FieldError(error.field, error.reason)])
    if isinstance(error, ValidationError):
        return _of_validation(error)
    if isinstance(error, StorageUnavailable):
        return Problem(503, "the storage does not answer now")
    if isinstance(error, BusError):
        return Problem(503, _shortened(str(error)))
    return Problem(500, "something went wrong here; the log of the gateway knows more")


def invalid(errors: Sequence[FieldError]) -> Problem:
    """422: the input was read, and some of its fields are wrong."""
    kept = [FieldError(_shortened(field), _shortened(reason)) for field, reason in errors[:_MAX_ERRORS]]
    detail = f"{kept[0].field}: {kept[0].reason}"
    if len(errors) > 1:
        detail = f"{len(errors)} fields are wrong; the first: {detail}"
    return Problem(422, detail, kept)


def _of_validation(error: ValidationError) -> Problem:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    if found[0]["type"] == "json_invalid":
        return Problem(400, f"the body is not JSON: {found[0]['msg'].removeprefix('Invalid JSON: ')}")
    return invalid(field_errors(found))


def field_errors(found: Sequence[Any]) -> list[FieldError]:
    """The findings of pydantic, one per field."""
    return [
        FieldError(path_of(each["loc"]), _REASONS.get(each["type"]) or str(each["msg"]).removeprefix("Value error, "))
        for each in found
    ]


def path_of(location: Sequence[int | str]) -> str:
    """A place in the input, as users write it."""
    return ".".join(str(part) for part in location if part != "[key]") or _BODY


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…"
