"""Following one job from how it stands to its end."""

from collections.abc import AsyncGenerator

from gotask import v1
from gotask.bus.errors import Code, CommandError
from gotask.gateway.access.caller import Caller
from gotask.gateway.job_events import ENDINGS
from gotask.gateway.jobs import Jobs
from gotask.gateway.watchers import Watchers
from gotask.gateway.watches import Watches
from gotask.jobs.states import TERMINAL

_LOOK_EVERY_S = 5.0


class Following:
    """Tells what happens to a job."""

    def __init__(self, jobs: Jobs, watches: Watches, watchers: Watchers) -> None:
        self._jobs = jobs
        self._watches = watches
        self._watchers = watchers

    async def follow(self, caller: Caller, job_id: str) -> AsyncGenerator[v1.JobUpdate, None]:
        """The job, its events as they happen, and when it has ended the job once more. Ends with it, or the gateway.

        The job comes also when it has changed without an event, or when events may have been missed. NOT_FOUND when
        there is none; a job that is deleted ends with that event. RESOURCE_EXHAUSTED for too many who watch.
        """
        await self._jobs.get(caller, job_id)
        with self._watchers.one_more():
            async with self._watches.events_of(job_id) as inbox:
                job: v1.Job | None = await self._jobs.get(caller, job_id)
                yield v1.JobUpdate(job=job)
                while job is not None and job.state not in TERMINAL and not self._watches.stopped:
                    event = await inbox.get(_LOOK_EVERY_S)
                    if event is not None:
                        yield v1.JobUpdate(event=event)
                    if event is None or event.kind in ENDINGS or inbox.overflown:
                        inbox.overflown = False
                        before, job = job, await self._job_or_none(caller, job_id)
                        if job is not None and not _same(before, job):
                            yield v1.JobUpdate(job=job)

    async def _job_or_none(self, caller: Caller, job_id: str) -> v1.Job | None:
        try:
            return await self._jobs.get(caller, job_id)
        except CommandError as error:
            if error.code is Code.NOT_FOUND:
                return None
            raise


def _same(before: v1.Job, job: v1.Job) -> bool:
    return before.state == job.state and before.attempt == job.attempt
