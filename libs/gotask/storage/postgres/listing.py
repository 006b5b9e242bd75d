"""Listings: pages of jobs, newest id first."""

from typing import Any

from gotask import v1
from gotask.jobs.ids import is_id
from gotask.storage.contract import JobFilter, Page
from gotask.storage.postgres.client import Client
from gotask.storage.postgres.jobs import job_of
from gotask.storage.postgres.text import column

_FIRST_STEP, _LONGEST_STEP = 200, 20_000
"""Jobs that one step looks at: ever more while few of them match, and never so many that a step takes long."""


async def page(client: Client, schema: str, criteria: JobFilter, cursor: str, limit: int) -> Page:
    """One page."""
    if cursor and not is_id(cursor):
        raise ValueError(f"not a cursor: {cursor!r}")
    scan = f"SELECT * FROM {schema}.scan_jobs($1, $2, $3, $4, $5, $6, $7, $8)"  # noqa: S608
    filters = _filters(criteria)
    below: Any = cursor or None
    step = max(_FIRST_STEP, limit + 1)
    ids: list[Any] = []
    while len(ids) <= limit:
        ((found, below),) = await client.rows(scan, below, step, *filters)
        ids += found
        step = min(step * 4, _LONGEST_STEP)
        if below is None:
            break
    jobs = await _jobs(client, schema, ids[:limit])
    return Page(jobs, str(ids[limit - 1]) if len(ids) > limit else "")


def _filters(criteria: JobFilter) -> tuple[Any, ...]:
    return (
        list(criteria.states) or None,
        column(criteria.queue) or None,
        column(criteria.type) or None,
        column(criteria.tag) or None,
        criteria.created_from_us or None,
        criteria.created_before_us or None,
    )


async def _jobs(client: Client, schema: str, ids: list[Any]) -> list[v1.Job]:
    """Those that still exist, in order."""
    rows = await client.rows(f"SELECT * FROM {schema}.get_jobs($1) ORDER BY id DESC", ids)  # noqa: S608
    return [job_of(row) for row in rows]
