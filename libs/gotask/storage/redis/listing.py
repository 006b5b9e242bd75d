"""Lists jobs, newest id first, without ever blocking the server for long."""

from collections.abc import Awaitable, Callable, Sequence

from gotask import v1
from gotask.jobs.ids import is_id
from gotask.storage.contract import JobFilter, Page
from gotask.storage.redis.scripts import Scripts

_SCAN = 2_000
_RARE = 5_000
_READ = 200

GetJobs = Callable[[Sequence[str]], Awaitable[list[v1.Job | None]]]


async def list_jobs(scripts: Scripts, get_jobs: GetJobs, criteria: JobFilter, cursor: str, limit: int) -> Page:
    """A page of the jobs that match. States that few jobs are in are read from their own indexes."""
    if cursor and not is_id(cursor):
        raise ValueError(f"not a cursor: {cursor!r}")
    states = "".join(str(state) for state in sorted(criteria.states))
    if states:
        complete, ids = await scripts.run("rare", _RARE, criteria.queue, states)
        if complete:
            newest_first = sorted((found.decode() for found in ids), reverse=True)
            jobs = await _read(
                get_jobs, [job_id for job_id in newest_first if not cursor or job_id < cursor], criteria, limit
            )
            return _page(jobs, limit)
    jobs = []
    start = f"({cursor}" if cursor else "+"
    while start and len(jobs) <= limit:
        last, ids = await scripts.run("scan", start, _SCAN, criteria.queue, states)
        found = [job_id.decode() for job_id in ids]
        jobs += await _read(get_jobs, found, criteria, limit - len(jobs))
        start = f"({last.decode()}" if last else ""
    return _page(jobs, limit)


async def _read(get_jobs: GetJobs, ids: list[str], criteria: JobFilter, limit: int) -> list[v1.Job]:
    """The first *limit* + 1 of these jobs that match: the one too many tells that there is a next page."""
    jobs: list[v1.Job] = []
    step = min(_READ, limit + 1)
    for begin in range(0, len(ids), step):
        found = await get_jobs(ids[begin : begin + step])
        jobs += [job for job in found if job is not None and _matches(job, criteria)]
        if len(jobs) > limit:
            break
    return jobs[: limit + 1]


def _page(jobs: list[v1.Job], limit: int) -> Page:
    return Page(jobs[:limit], jobs[limit - 1].spec.id if len(jobs) > limit else "")


def _matches(job: v1.Job, criteria: JobFilter) -> bool:
    spec = job.spec
    return (
        (not criteria.states or job.state in criteria.states)
        and (not criteria.queue or spec.queue == criteria.queue)
        and (not criteria.type or spec.type == criteria.type)
        and (not criteria.tag or criteria.tag in spec.tags)
        and (not criteria.created_from_us or spec.created_at_us >= criteria.created_from_us)
        and (not criteria.created_before_us or spec.created_at_us < criteria.created_before_us)
    )
