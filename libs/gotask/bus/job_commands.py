"""Commands about jobs, on their way to a queue-manager: many callers, one message per verb."""

from collections.abc import Sequence
from functools import partial

from gotask import v1
from gotask.bus.bus import Bus
from gotask.bus.errors import Code, CommandError
from gotask.bus.group_commit import GroupCommit
from gotask.jobs.ids import is_id

_MAX_IDS = 500
_VERBS = ("cancel_jobs", "retry_jobs", "delete_jobs")


class JobCommands:
    """Cancels, retries and deletes jobs."""

    def __init__(self, bus: Bus, timeout_s: float) -> None:
        """
        :param timeout_s: how long a queue-manager may take to answer.
        """
        self._bus = bus
        self._timeout_s = timeout_s
        self._commits = {verb: GroupCommit(partial(self._flush, verb), max_items=_MAX_IDS) for verb in _VERBS}

    async def give(self, verb: str, job_id: str) -> None:
        """CommandError when the job is not there, or not in a state that allows it."""
        if not is_id(job_id):
            raise no_job(job_id)
        status = await self._commits[verb].submit(job_id)
        if status.code:
            raise CommandError.from_status(status)

    async def _flush(self, verb: str, job_ids: list[str]) -> Sequence[v1.Status]:
        """Two that ask the same of one job at once get the same answer."""
        different = list(dict.fromkeys(job_ids))
        reply = await self._bus.command(verb, v1.JobIds(ids=different), v1.JobStatuses, self._timeout_s)
        statuses = dict(zip(different, reply.statuses, strict=True))
        return [statuses[job_id] for job_id in job_ids]


def no_job(job_id: str) -> CommandError:
    return CommandError(Code.NOT_FOUND, f"there is no job {job_id}", "id")
