"""Query parameters."""

from datetime import datetime
from typing import Annotated, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from gotask import v1
from gotask.gateway.feed import MAX_QUEUES
from gotask.gateway.rest.schemas import EventKind, Status
from gotask.jobs.request import Duration, Moment, QueueName
from gotask.jobs.states import state_of
from gotask.storage.contract import JobFilter

_MAX_WAIT_S = 60


def _not_too_long(wait_us: int) -> int:
    if wait_us > _MAX_WAIT_S * 1_000_000:
        raise ValueError(f"is longer than {_MAX_WAIT_S}s")
    return wait_us


def _known_states(values: list[str]) -> list[str]:
    names = [name for value in values for name in value.split(",")]
    for name in names:
        state_of(name)
    return names


class NoParams(BaseModel):
    """Of endpoints that take none: a parameter is refused, not ignored."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class JobParams(NoParams):
    """Of GET /jobs/{id}."""

    wait: Annotated[Duration, AfterValidator(_not_too_long), Field(examples=["30s"])] = 0
    """Answer once the job has ended, or after this long as it stands then; 60s at most."""


def _split(values: list[str]) -> list[str]:
    return [name for value in values for name in value.split(",")]


class EventParams(NoParams):
    """Of GET /events."""

    queue: Annotated[list[QueueName], BeforeValidator(_split), Field(max_length=MAX_QUEUES)] = []
    """Events of these queues only. Repeated, or separated by commas."""
    kind: Annotated[list[EventKind], BeforeValidator(_split)] = []
    """Events of these kinds only. Repeated, or separated by commas."""
    cursor: str = ""
    """Go on after the event with this id; from now on, if not given."""


_STATES = "|".join(get_args(Status))
_States = Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^({_STATES})(,({_STATES}))*$"})]


class PageParams(NoParams):
    """Of lists."""

    limit: Annotated[int, Field(ge=1, le=500)] = 50
    """The most that come on a page."""
    cursor: str = ""
    """``next_cursor`` of the page before."""


class ListParams(PageParams):
    """Of GET /jobs."""

    status: Annotated[list[_States], AfterValidator(_known_states), Field(examples=[["pending", "running"]])] = []
    """Repeated, or separated by commas."""
    queue: str = ""
    """Jobs of this queue only."""
    type: str = ""
    """Jobs of this type only."""
    tag: str = ""
    """Jobs with this tag only."""
    created_from: Moment | None = None
    """Created at this moment or later (RFC 3339)."""
    created_before: Moment | None = None
    """Created before this moment (RFC 3339)."""

    def criteria(self) -> JobFilter:
        return JobFilter(
            states=frozenset(state_of(name) for name in self.status),
            queue=self.queue,
            type=self.type,
            tag=self.tag,
            created_from_us=_us(self.created_from),
            created_before_us=_us(self.created_before),
        )


class DeadFilter(NoParams):
    """Of DELETE /queues/{name}/dead."""

    type: str = ""
    """Jobs of this type only."""
    error_type: str = ""
    """Of the error of the last attempt: the exception's class, or Timeout, LeaseLost, UnknownType."""

    def wanted(self, queue: str) -> v1.DeadLetters:
        return v1.DeadLetters(queue=queue, type=self.type, error_type=self.error_type)


class DeadListParams(DeadFilter):
    """Of GET /queues/{name}/dead."""

    limit: Annotated[int, Field(ge=1, le=500)] = 50
    """The most jobs on a page."""
    cursor: str = ""
    """``next_cursor`` of the page before."""


class DeadRetry(DeadFilter):
    """The body of POST /queues/{name}/dead/retry."""

    ids: Annotated[list[str], Field(min_length=1, max_length=1_000)] | None = None
    """These and no others."""

    def wanted(self, queue: str) -> v1.DeadLetters:
        wanted = super().wanted(queue)
        wanted.ids.extend(self.ids or ())
        return wanted


def _us(at: datetime | None) -> int:
    return round(at.timestamp() * 1e6) if at else 0
