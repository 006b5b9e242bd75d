"""Following one job from how it stands to its end."""

import contextlib
from collections.abc import AsyncGenerator

from gotask import v1
from gotask.bus.errors import Code, CommandError
from gotask.bus.following import follow
from gotask.bus.watches import Watches
from gotask.gateway.access.caller import Caller
from gotask.gateway.jobs import Jobs
from gotask.gateway.watchers import Watchers


class Following:
    """Tells what happens to a job."""

    def __init__(self, jobs: Jobs, watches: Watches, watchers: Watchers) -> None:
        self._jobs = jobs
        self._watches = watches
        self._watchers = watchers

    async def follow(self, caller: Caller, job_id: str) -> AsyncGenerator[v1.JobUpdate, None]:
        """As :func:`gotask.bus.following.follow`. NOT_FOUND when there is no such job; RESOURCE_EXHAUSTED for too many
        who watch."""

        async def get() -> v1.Job | None:
            try:
                return await self._jobs.get(caller, job_id)
            except CommandError as error:
                if error.code is Code.NOT_FOUND:
                    return None
                raise

        await self._jobs.get(caller, job_id)
        with self._watchers.one_more():
            async with contextlib.aclosing(follow(self._watches, job_id, get)) as updates:
                async for update in updates:
                    yield update
