"""Following one job from how it stands to its end."""

from collections.abc import AsyncGenerator, Awaitable, Callable

from gotask import v1
from gotask.bus.job_events import ENDINGS
from gotask.bus.watches import EVERY_QUEUE, Watches
from gotask.jobs.states import TERMINAL

_LOOK_EVERY_S = 5.0


async def follow(
    watches: Watches, job_id: str, get: Callable[[], Awaitable[v1.Job | None]], queue: str = EVERY_QUEUE
) -> AsyncGenerator[v1.JobUpdate, None]:
    """The job, its events as they happen, and when it has ended the job once more. Ends with it, or with the watches.

    The job comes also when it has changed without an event, or when events may have been missed; a job that is deleted
    ends with that event.

    :param get: the job as it stands; None when there is none.
    :param queue: the job's, if it is known.
    """
    async with watches.events_of(job_id, queue) as inbox:
        job = await get()
        if job is not None:
            yield v1.JobUpdate(job=job)
        while job is not None and job.state not in TERMINAL and not watches.stopped:
            event = await inbox.get(_LOOK_EVERY_S)
            if event is not None:
                yield v1.JobUpdate(event=event)
            if event is None or event.kind in ENDINGS or inbox.overflown:
                inbox.overflown = False
                before, job = job, await get()
                if job is not None and not _same(before, job):
                    yield v1.JobUpdate(job=job)


def _same(before: v1.Job, job: v1.Job) -> bool:
    return before.state == job.state and before.attempt == job.attempt
