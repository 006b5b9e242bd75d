"""What can be done with dead letters: jobs with no attempt left."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict, Unpack

from gotask import v1
from gotask.sdk.client import transport as verbs
from gotask.sdk.client.job import Job
from gotask.sdk.client.listing import MAX_PAGE, JobPage, check_limit
from gotask.sdk.client.transport import Transport


class DeadCriteria(TypedDict, total=False):
    """Dead letters must meet all that are given."""

    type: str
    error_type: str
    """Of the error of the last attempt."""


@dataclass(frozen=True, slots=True)
class DeadChanged:
    """How many were changed. If not *complete*, there may be more: repeat the call."""

    count: int
    complete: bool


class DeadLetters:
    """``client.dead``. Every call raises NotFound for a queue that does not exist.

    async for job in client.dead.iterate("mail", error_type="SMTPServerDisconnected"):
        print(job.id, job.error)
    await client.dead.retry("mail", error_type="SMTPServerDisconnected")
    """

    def __init__(self, transport: Callable[[], Transport]) -> None:
        self._transport = transport

    async def list(self, queue: str, *, limit: int = 50, cursor: str = "", **criteria: Unpack[DeadCriteria]) -> JobPage:
        """The dead letters of a queue that match, newest first: a page of *limit*, 500 at most. With ``error_type`` it
        may hold fewer, or none, and not be the last. *cursor* is the page's before."""
        check_limit(limit)
        request = v1.ListDeadJobsRequest(queue=queue, limit=limit, cursor=cursor, **criteria)
        reply = await self._transport().call(verbs.LIST_DEAD_JOBS, request)
        return JobPage([Job(job) for job in reply.jobs], reply.next_cursor)

    async def iterate(self, queue: str, **criteria: Unpack[DeadCriteria]) -> AsyncIterator[Job]:
        """All that match, newest first, page by page."""
        cursor = ""
        while True:
            page = await self.list(queue, limit=MAX_PAGE, cursor=cursor, **criteria)
            for job in page.items:
                yield job
            cursor = page.next_cursor
            if not cursor:
                return

    async def retry(self, queue: str, ids: Sequence[str] = (), **criteria: Unpack[DeadCriteria]) -> DeadChanged:
        """Those that match become pending again, with all their attempts before them; their history is kept.

        :param ids: these and no others, 1,000 at most.
        """
        wanted = v1.DeadLetters(queue=queue, ids=ids, **criteria)
        return _changed(await self._transport().call(verbs.RETRY_DEAD_JOBS, wanted))

    async def purge(self, queue: str, **criteria: Unpack[DeadCriteria]) -> DeadChanged:
        """Forgets those that match; all of the queue, if there are no criteria."""
        wanted = v1.DeadLetters(queue=queue, **criteria)
        return _changed(await self._transport().call(verbs.PURGE_DEAD_JOBS, wanted))


def _changed(done: v1.DeadJobsChanged) -> DeadChanged:
    return DeadChanged(done.count, done.complete)
