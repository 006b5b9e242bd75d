"""What operators ask."""

from typing import Literal

from gotask.gateway.rest.schemas.document import Document


class Health(Document):
    """That the process lives."""

    status: Literal["ok"]
    """Always ok."""


class Readiness(Document):
    """Whether it can do its work."""

    status: Literal["ready", "not ready"]
    """ready, or not."""
    missing: list[str]
    """What it lacks."""
