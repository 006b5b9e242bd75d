"""What can be asked of jobs, whatever the protocol. Refusals are CommandErrors."""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import NamedTuple

from gotask import v1
from gotask.bus.bus import Bus
from gotask.bus.errors import Code, CommandError
from gotask.bus.group_commit import GroupCommit
from gotask.gateway.submissions import Answer, Submissions
from gotask.gateway.watches import Watches
from gotask.jobs.ids import is_id
from gotask.jobs.states import PENDING, SCHEDULED, TERMINAL
from gotask.service.clock import Clock
from gotask.service.telemetry import Telemetry
from gotask.storage.contract import JobFilter, Page, Storage, StorageUnavailable

_LOOK_EVERY_S = 1.0


class How(Enum):
    """How a submission ended well."""

    CREATED = "created"
    EXISTED = "existed"  # a job with its idempotency or unique key was there before
    ACCEPTED = "accepted"  # it is safe in the stream, and will be applied


class Submitted(NamedTuple):
    how: How
    job: v1.Job


class Jobs:
    """Submits, finds, awaits and commands jobs. Everything may raise StorageUnavailable, too."""

    def __init__(
        self,
        bus: Bus,
        storage: Storage,
        clock: Clock,
        submissions: Submissions,
        watches: Watches,
        command_timeout_s: float,
        telemetry: Telemetry,
    ) -> None:
        self._bus = bus
        self._storage = storage
        self._clock = clock
        self._submissions = submissions
        self._watches = watches
        self._command_timeout_s = command_timeout_s
        self._telemetry = telemetry
        self._reads: GroupCommit[str, v1.Job | None] = GroupCommit(storage.get_jobs, max_items=500, concurrency=2)

    async def submit(self, specs: Sequence[v1.JobSpec]) -> list[Submitted | CommandError]:
        """What became of each job, in order."""
        with self._telemetry.submitting(specs):
            answers = await self._submissions.submit(specs)
        ids = [_id_to_read(spec, answer) for spec, answer in zip(specs, answers, strict=True)]
        stored = await self._read({job_id for job_id in ids if job_id}) if any(ids) else {}
        return [
            _as_stored(spec, job_id, stored[job_id]) if job_id else self._outcome(spec, answer)
            for spec, answer, job_id in zip(specs, answers, ids, strict=True)
        ]

    def _outcome(self, spec: v1.JobSpec, answer: Answer) -> Submitted | CommandError:
        if isinstance(answer, CommandError):
            return answer
        if answer is None:
            waits = spec.scheduled_at_us > self._clock.now_us()
            return Submitted(How.ACCEPTED, _fresh(spec, SCHEDULED if waits else PENDING))
        if answer.status.code:
            return CommandError.from_status(answer.status)
        return Submitted(How.CREATED, _fresh(answer.spec, answer.state))

    async def _read(self, ids: Iterable[str]) -> dict[str, v1.Job | CommandError]:
        wanted = list(ids)
        try:
            jobs = await self._storage.get_jobs(wanted)
        except StorageUnavailable as error:
            text = "the job is stored, and cannot be read now"
            return dict.fromkeys(wanted, CommandError(Code.UNAVAILABLE, f"{text}: {error}"))
        gone = CommandError(Code.UNAVAILABLE, "the first job with this key has just been deleted; repeat")
        return {job_id: job or gone for job_id, job in zip(wanted, jobs, strict=True)}

    async def get(self, job_id: str) -> v1.Job:
        """NOT_FOUND when there is no such job."""
        job = await self._reads.submit(job_id) if is_id(job_id) else None
        if job is None:
            raise CommandError(Code.NOT_FOUND, f"there is no job {job_id}", "id")
        return job

    async def wait(self, job_id: str, timeout_s: float) -> v1.Job:
        """The job once it is terminal, or as it stands after *timeout_s* seconds."""
        job = await self.get(job_id)
        if job.state in TERMINAL:
            return job
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s), self._watches.watch(job_id) as ended:
                while (job := await self.get(job_id)).state not in TERMINAL and not self._watches.stopped:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(ended.wait(), _LOOK_EVERY_S)
                    ended.clear()
        return job

    async def list_jobs(self, criteria: JobFilter, cursor: str, limit: int) -> Page:
        """INVALID_ARGUMENT for a cursor that is none."""
        try:
            return await self._storage.list_jobs(criteria, cursor, limit)
        except ValueError as error:
            raise CommandError(Code.INVALID_ARGUMENT, str(error), "cursor") from None

    async def cancel(self, job_id: str) -> v1.Job:
        """FAILED_PRECONDITION when it is terminal, or was told to end before."""
        await self._command("cancel_jobs", job_id)
        return await self.get(job_id)

    async def retry(self, job_id: str) -> v1.Job:
        """FAILED_PRECONDITION unless it failed, is dead, cancelled or expired."""
        await self._command("retry_jobs", job_id)
        return await self.get(job_id)

    async def delete(self, job_id: str) -> None:
        """FAILED_PRECONDITION unless it is terminal."""
        await self._command("delete_jobs", job_id)

    async def _command(self, verb: str, job_id: str) -> None:
        reply = await self._bus.command(verb, v1.JobIds(ids=[job_id]), v1.JobStatuses, self._command_timeout_s)
        status = reply.statuses[0]
        if status.code:
            raise CommandError.from_status(status)


def _id_to_read(spec: v1.JobSpec, answer: Answer) -> str:
    """The id of the stored job that *answer* points to; empty when it tells enough by itself."""
    if not isinstance(answer, v1.SubmitResult) or answer.status.code or answer.HasField("spec"):
        return ""
    return answer.existing_id or spec.id


def _as_stored(spec: v1.JobSpec, job_id: str, found: v1.Job | CommandError) -> Submitted | CommandError:
    if isinstance(found, CommandError):
        return found
    return Submitted(How.CREATED if job_id == spec.id else How.EXISTED, found)


def _fresh(spec: v1.JobSpec, state: v1.JobState.ValueType) -> v1.Job:
    return v1.Job(spec=spec, state=state, due_at_us=spec.scheduled_at_us if state == SCHEDULED else 0)
