"""Errors as problem documents (RFC 9457), and the one place where codes become HTTP statuses."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from pydantic import ValidationError
from starlette.responses import Response

from gotask.bus.errors import Code
from gotask.gateway.refusals import Refusal, refusal_of
from gotask.jobs.field_errors import FieldError

PROBLEM_JSON = "application/problem+json"

STATUSES = {
    Code.INVALID_ARGUMENT: 422,
    Code.UNAUTHENTICATED: 401,
    Code.PERMISSION_DENIED: 403,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.FAILED_PRECONDITION: 409,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.UNAVAILABLE: 503,
    Code.DEADLINE_EXCEEDED: 504,
    Code.INTERNAL: 500,
}
_CHALLENGE = {"WWW-Authenticate": "Bearer"}


class Problem(Exception):
    """An answer that is an error."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}
        self.retry_after_s = retry_after_s

    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "errors": [{"field": error.field, "reason": error.reason} for error in self.errors],
        }
        if self.retry_after_s is not None:
            document["retry_after"] = self.retry_after_s
        return document

    def response(self) -> Response:
        headers = dict(self.headers)
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(self.retry_after_s)
        return Response(orjson.dumps(self.document()), self.status, headers, media_type=PROBLEM_JSON)


def problem_of(error: Exception) -> Problem:
    """*error* as users are told of it."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, ValidationError) and (reason := _not_json(error)):
        return Problem(400, f"the body is not JSON: {reason}")
    return problem_from(refusal_of(error))


def problem_from(refusal: Refusal) -> Problem:
    """*refusal* as HTTP says it."""
    status = STATUSES.get(refusal.code, 500)
    headers = _CHALLENGE if status == HTTPStatus.UNAUTHORIZED else None
    return Problem(status, refusal.detail, refusal.errors, headers, refusal.retry_after_s)


def _not_json(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return first["msg"].removeprefix("Invalid JSON: ") if first["type"] == "json_invalid" else ""
