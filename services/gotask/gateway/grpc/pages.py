"""Lists that come in pages."""

from collections.abc import Sequence

from gotask import v1
from gotask.jobs.validation import InvalidJob

_PAGE = 50
_MAX_PAGE = 500


def page_size(limit: int) -> int:
    """How many to list, when *limit* was asked for; 0: not set."""
    if limit > _MAX_PAGE:
        raise InvalidJob("limit", f"is above {_MAX_PAGE}")
    return limit or _PAGE


def shortened(jobs: Sequence[v1.Job]) -> Sequence[v1.Job]:
    """The same jobs, of whose history only the last attempt is kept."""
    for job in jobs:
        del job.history.attempts[:-1]
    return jobs
