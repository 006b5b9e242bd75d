"""Listings: pages of jobs, newest id first."""

from collections.abc import AsyncIterator, Sequence

from gotask import v1
from gotask.jobs.ids import is_id
from gotask.storage.contract import JobFilter, Page
from gotask.storage.filtering import matches
from gotask.storage.redis.client import Client
from gotask.storage.redis.records import job_of, tag_field

_SCAN_IDS = 2_000
_SCAN_BYTES = 4_000_000
_RARE = 20_000
_FETCH = 100


async def page(client: Client, criteria: JobFilter, cursor: str, limit: int) -> Page:
    """One page. Few jobs in the states asked for are found by those states' indexes, others by looking at all jobs."""
    if cursor and not is_id(cursor):
        raise ValueError(f"not a cursor: {cursor!r}")
    rare = await _rare_ids(client, criteria) if criteria.states else None
    found = _scan(client, criteria, cursor, limit + 1) if rare is None else _fetch(client, rare, cursor)
    jobs: list[v1.Job] = []
    async for job in found:
        if matches(criteria, job.spec, job.state):
            if len(jobs) == limit:
                return Page(jobs, jobs[-1].spec.id)
            jobs.append(job)
    return Page(jobs, "")


async def _rare_ids(client: Client, criteria: JobFilter) -> list[str] | None:
    answer = await client.run("collect", _RARE, bytes(criteria.states), criteria.queue)
    return None if answer is None else sorted({job_id.decode() for job_id in answer}, reverse=True)


async def _fetch(client: Client, ids: Sequence[str], cursor: str) -> AsyncIterator[v1.Job]:
    below = [job_id for job_id in ids if not cursor or job_id < cursor]
    for first in range(0, len(below), _FETCH):
        for row in await client.run("get", *below[first : first + _FETCH]):
            if row:
                yield job_of(row)


async def _scan(client: Client, criteria: JobFilter, cursor: str, wanted: int) -> AsyncIterator[v1.Job]:
    filters = (
        bytes(criteria.states),
        criteria.queue,
        criteria.type,
        criteria.created_from_us,
        criteria.created_before_us,
        tag_field(criteria.tag),
    )
    below: str | bytes = cursor
    while True:
        below, rows = await client.run("scan", below, min(wanted, _FETCH), _SCAN_IDS, _SCAN_BYTES, *filters)
        for row in rows:
            yield job_of(row)
        if not below:
            return
