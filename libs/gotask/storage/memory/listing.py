"""Pages of jobs."""

from gotask import v1
from gotask.jobs.ids import is_id
from gotask.storage.contract import JobFilter, Page
from gotask.storage.filtering import matches
from gotask.storage.memory.jobs import Jobs


def page(jobs: Jobs, criteria: JobFilter, cursor: str, limit: int) -> Page:
    """Matching jobs below the cursor, newest id first."""
    if cursor and not is_id(cursor):
        raise ValueError(f"not a cursor: {cursor!r}")
    found: list[v1.Job] = []
    for record in jobs.newest_first(cursor):
        if matches(criteria, record.spec, record.state):
            if len(found) == limit:
                return Page(found, found[-1].spec.id)
            found.append(record.to_job())
    return Page(found, "")
