"""Which jobs to list, and what comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from gotask import v1
from gotask.jobs.states import state_of
from gotask.sdk.client.job import Job, Status
from gotask.sdk.errors import InvalidArgument

MAX_PAGE = 500


class Criteria(TypedDict, total=False):
    """Jobs must meet all that are given. Times are those of their creation."""

    status: Status | Sequence[Status]
    queue: str
    type: str
    tag: str
    created_from: datetime
    created_before: datetime


@dataclass(frozen=True, slots=True)
class JobPage:
    """Jobs, newest first, each with its newest attempt at most. *next_cursor* is empty on the last page."""

    items: Sequence[Job]
    next_cursor: str


def list_request(criteria: Criteria, limit: int, cursor: str) -> v1.ListJobsRequest:
    """InvalidArgument names what is wrong."""
    check_limit(limit)
    wanted = criteria.get("status", ())
    try:
        states = [state_of(name) for name in ([wanted] if isinstance(wanted, str) else wanted)]
    except ValueError as error:
        raise InvalidArgument(str(error), "status") from None
    return v1.ListJobsRequest(
        states=states,
        queue=criteria.get("queue", ""),
        type=criteria.get("type", ""),
        tag=criteria.get("tag", ""),
        created_from_us=_us(criteria.get("created_from"), "created_from"),
        created_before_us=_us(criteria.get("created_before"), "created_before"),
        limit=limit,
        cursor=cursor,
    )


def check_limit(limit: int) -> None:
    """InvalidArgument for a page of a size that cannot be."""
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidArgument(f"{limit} is not between 1 and {MAX_PAGE}", "limit")


def _us(moment: datetime | None, field: str) -> int:
    if moment is None:
        return 0
    if moment.tzinfo is None:
        raise InvalidArgument("must have a time zone", field)
    return round(moment.timestamp() * 1e6)
