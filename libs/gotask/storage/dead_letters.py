"""Finding the dead letters of a queue."""

from gotask import v1
from gotask.jobs.dead_letters import matches
from gotask.jobs.states import DEAD
from gotask.storage.contract import JobFilter, Page, Storage

_MAX_PAGES = 20


async def find_dead(storage: Storage, wanted: v1.DeadLetters, cursor: str, limit: int) -> Page:
    """Dead letters that match, newest job first; ids do not count.

    A page may hold fewer than *limit*, or none, and not be the last: it ends after a bounded search. ValueError for a
    cursor that is none.
    """
    criteria = JobFilter(states=frozenset({DEAD}), queue=wanted.queue, type=wanted.type)
    found: list[v1.Job] = []
    for _ in range(_MAX_PAGES):
        page = await storage.list_jobs(criteria, cursor, limit)
        for job in page.jobs:
            if not matches(wanted, job):
                continue
            if len(found) == limit:
                return Page(found, found[-1].spec.id)
            found.append(job)
        cursor = page.next_cursor
        if not cursor or len(found) == limit:
            break
    return Page(found, cursor)
