"""Errors."""

from gotask.gateway.rest.schemas.document import Document


class FieldProblem(Document):
    """What is wrong with one field."""

    field: str
    """Its path in the input, such as ``jobs.3.priority``."""
    reason: str
    """What is wrong with it."""


class Problem(Document):
    """An error (RFC 9457)."""

    type: str
    """about:blank: the status tells the kind of problem."""
    title: str
    """The status in words."""
    status: int
    """The HTTP status."""
    detail: str
    """What was wrong, for people."""
    errors: list[FieldProblem]
    """The fields that were wrong, twenty at most; empty when it was no field's fault."""
    retry_after: int | None = None
    """Seconds to wait, as in the header Retry-After. With 429 and 503."""
