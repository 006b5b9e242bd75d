"""Listings: pages of jobs, newest id first."""

from typing import Any

from gotask.jobs.ids import is_id
from gotask.storage.contract import JobFilter, Page
from gotask.storage.postgres.client import Client
from gotask.storage.postgres.jobs import job_of
from gotask.storage.postgres.text import column


async def page(client: Client, schema: str, criteria: JobFilter, cursor: str, limit: int) -> Page:
    """One page; the database chooses the way to it."""
    if cursor and not is_id(cursor):
        raise ValueError(f"not a cursor: {cursor!r}")
    conditions, values = _conditions(criteria, cursor)
    records = f"JOIN {schema}.records AS r ON r.id = s.id" if criteria.states else ""
    query = f"""
        SELECT * FROM {schema}.get_jobs(ARRAY(
            SELECT s.id FROM {schema}.specs AS s JOIN {schema}.queues AS q ON q.id = s.queue_id {records}
            WHERE {" AND ".join(["true", *conditions])} ORDER BY s.id DESC LIMIT $1
        )) ORDER BY id DESC
    """  # noqa: S608 - names of ours, and values as parameters
    jobs = [job_of(row) for row in await client.rows(query, limit + 1, *values)]
    if len(jobs) <= limit:
        return Page(jobs, "")
    return Page(jobs[:limit], jobs[limit - 1].spec.id)


def _conditions(criteria: JobFilter, cursor: str) -> tuple[list[str], list[Any]]:
    """Of those that are given, the conditions in SQL (parameters begin at $2), and their values."""
    possible: list[tuple[str, Any]] = [
        ("s.id < ", cursor),
        ("q.name = ", criteria.queue),
        ("s.type = ", column(criteria.type)),
        ("s.created_at_us >= ", criteria.created_from_us),
        ("s.created_at_us < ", criteria.created_before_us),
        ("s.tags @> ", [column(criteria.tag)] if criteria.tag else None),
        ("r.state = ANY", list(criteria.states)),
    ]
    given = [(condition, value) for condition, value in possible if value]
    conditions = [f"{condition}({'$' + str(number)})" for number, (condition, _) in enumerate(given, 2)]
    return conditions, [value for _, value in given]
