"""What can be asked of jobs, whatever the protocol. Refusals are CommandErrors.

A caller who is limited to some queues sees no job of another: it is NOT_FOUND, as if it did not exist.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import Enum
from typing import NamedTuple

from gotask import v1
from gotask.bus.errors import Code, CommandError
from gotask.bus.group_commit import GroupCommit
from gotask.bus.job_commands import JobCommands, no_job
from gotask.bus.submissions import Answer, Submissions
from gotask.bus.watches import Watches
from gotask.gateway.access.audit import Audit
from gotask.gateway.access.caller import Caller
from gotask.jobs.ids import is_id
from gotask.jobs.states import PENDING, SCHEDULED, TERMINAL
from gotask.service.clock import Clock
from gotask.service.telemetry import Telemetry
from gotask.storage.contract import JobFilter, Page, Storage, StorageUnavailable

_LOOK_EVERY_S = 1.0
_MAX_IDS = 500


class How(Enum):
    """How a submission ended well."""

    CREATED = "created"
    EXISTED = "existed"  # a job with its idempotency or unique key was there before
    ACCEPTED = "accepted"  # it is safe in the stream, and will be applied


class Submitted(NamedTuple):
    how: How
    job: v1.Job


class Brief(NamedTuple):
    """How a submission ended well, and no more than is known without a look at the storage."""

    how: How
    job_id: str
    state: v1.JobState.ValueType = v1.JOB_STATE_UNSPECIFIED  # of a job that was created now


class Jobs:
    """Submits, finds, awaits and commands jobs. Everything may raise StorageUnavailable, too."""

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        submissions: Submissions,
        watches: Watches,
        commands: JobCommands,
        audit: Audit,
        telemetry: Telemetry,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._submissions = submissions
        self._watches = watches
        self._commands = commands
        self._audit = audit
        self._reads: GroupCommit[str, v1.Job | None] = GroupCommit(storage.get_jobs, max_items=_MAX_IDS, concurrency=2)
        self._telemetry = telemetry

    async def submit(self, caller: Caller, specs: Sequence[v1.JobSpec]) -> list[Submitted | CommandError]:
        """What became of each job, in order."""
        with self._telemetry.submitting(specs):
            answers = await self._submit(caller, specs)
        ids = [_id_to_read(spec, answer) for spec, answer in zip(specs, answers, strict=True)]
        stored = await self._read({job_id for job_id in ids if job_id}) if any(ids) else {}
        return [
            _as_stored(caller, spec, job_id, stored[job_id]) if job_id else self._outcome(spec, answer)
            for spec, answer, job_id in zip(specs, answers, ids, strict=True)
        ]

    async def submit_briefly(self, caller: Caller, specs: Sequence[v1.JobSpec]) -> list[Brief | CommandError]:
        """As :meth:`submit`, for those who are content with less."""
        answers = await self._submit(caller, specs)
        return [_brief(spec, answer) for spec, answer in zip(specs, answers, strict=True)]

    async def _submit(self, caller: Caller, specs: Sequence[v1.JobSpec]) -> list[Answer]:
        if caller.queues is None:
            return await self._submissions.submit(specs)
        forbidden = [_why_not(caller, spec) for spec in specs]
        allowed = [spec for spec, error in zip(specs, forbidden, strict=True) if error is None]
        answers = iter(await self._submissions.submit(allowed))
        return [next(answers) if error is None else error for error in forbidden]

    def _outcome(self, spec: v1.JobSpec, answer: Answer) -> Submitted | CommandError:
        if isinstance(answer, CommandError):
            return answer
        if answer is None:
            waits = spec.scheduled_at_us > self._clock.now_us()
            return Submitted(How.ACCEPTED, _fresh(spec, SCHEDULED if waits else PENDING))
        if answer.status.code:
            return CommandError.from_status(answer.status)
        return Submitted(How.CREATED, _fresh(answer.spec, answer.state, answer.ready_at_us))

    async def _read(self, ids: Iterable[str]) -> dict[str, v1.Job | CommandError]:
        wanted = list(ids)
        try:
            jobs = await self._storage.get_jobs(wanted)
        except StorageUnavailable as error:
            text = "the job is stored, and cannot be read now"
            return dict.fromkeys(wanted, CommandError(Code.UNAVAILABLE, f"{text}: {error}"))
        gone = CommandError(Code.UNAVAILABLE, "the first job with this key has just been deleted; repeat")
        return {job_id: job or gone for job_id, job in zip(wanted, jobs, strict=True)}

    async def get(self, caller: Caller, job_id: str) -> v1.Job:
        """NOT_FOUND when there is no such job."""
        job = await self._reads.submit(job_id) if is_id(job_id) else None
        if job is None or not caller.may_use(job.spec.queue):
            raise no_job(job_id)
        return job

    async def wait(self, caller: Caller, job_id: str, timeout_s: float) -> v1.Job:
        """The job once it is terminal, or as it stands after *timeout_s* seconds."""
        job = await self.get(caller, job_id)
        if job.state in TERMINAL:
            return job
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s), self._watches.end_of(job_id) as ended:
                while (job := await self.get(caller, job_id)).state not in TERMINAL and not self._watches.stopped:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(ended.wait(), _LOOK_EVERY_S)
                    ended.clear()
        return job

    async def list_jobs(self, caller: Caller, criteria: JobFilter, cursor: str, limit: int) -> Page:
        """INVALID_ARGUMENT for a cursor that is none."""
        try:
            return await self._storage.list_jobs(_within_queues(caller, criteria), cursor, limit)
        except ValueError as error:
            raise CommandError(Code.INVALID_ARGUMENT, str(error), "cursor") from None

    async def cancel(self, caller: Caller, job_id: str) -> v1.Job:
        """FAILED_PRECONDITION when it is terminal, or was told to end before."""
        await self._command(caller, "cancel_jobs", job_id)
        return await self.get(caller, job_id)

    async def retry(self, caller: Caller, job_id: str) -> v1.Job:
        """FAILED_PRECONDITION unless it failed, is dead, cancelled or expired."""
        await self._command(caller, "retry_jobs", job_id)
        return await self.get(caller, job_id)

    async def delete(self, caller: Caller, job_id: str) -> None:
        """FAILED_PRECONDITION unless it is terminal."""
        await self._command(caller, "delete_jobs", job_id)

    async def _command(self, caller: Caller, verb: str, job_id: str) -> None:
        with self._audit.record(caller, verb, job_id):
            if caller.queues is not None:
                await self.get(caller, job_id)
            await self._commands.give(verb, job_id)


def _id_to_read(spec: v1.JobSpec, answer: Answer) -> str:
    """The id of the stored job that *answer* points to; empty when it tells enough by itself."""
    if not isinstance(answer, v1.SubmitResult) or answer.status.code or answer.HasField("spec"):
        return ""
    return answer.existing_id or spec.id


def _brief(spec: v1.JobSpec, answer: Answer) -> Brief | CommandError:
    if isinstance(answer, CommandError):
        return answer
    if answer is None:
        return Brief(How.ACCEPTED, spec.id)
    if answer.status.code:
        return CommandError.from_status(answer.status)
    if answer.existing_id and answer.existing_id != spec.id:
        return Brief(How.EXISTED, answer.existing_id)
    return Brief(How.CREATED, spec.id, answer.state)


def _why_not(caller: Caller, spec: v1.JobSpec) -> CommandError | None:
    try:
        caller.check_queue(spec.queue)
    except CommandError as error:
        return error
    return None


def _within_queues(caller: Caller, criteria: JobFilter) -> JobFilter:
    if caller.queues is None:
        return criteria
    if criteria.queue:
        caller.check_queue(criteria.queue)
        return criteria
    if len(caller.queues) != 1:
        reason = f"{caller.name} may use several queues: name one of {', '.join(sorted(caller.queues))}"
        raise CommandError(Code.PERMISSION_DENIED, reason, "queue")
    return replace(criteria, queue=next(iter(caller.queues)))


def _as_stored(caller: Caller, spec: v1.JobSpec, job_id: str, found: v1.Job | CommandError) -> Submitted | CommandError:
    if isinstance(found, CommandError):
        return found
    if not caller.may_use(found.spec.queue):
        return CommandError(Code.ALREADY_EXISTS, "a job in a queue of others has this id or key already")
    return Submitted(How.CREATED if job_id == spec.id else How.EXISTED, found)


def _fresh(spec: v1.JobSpec, state: v1.JobState.ValueType, ready_at_us: int = 0) -> v1.Job:
    due_at_us = spec.scheduled_at_us if state == SCHEDULED else 0
    return v1.Job(spec=spec, state=state, ready_at_us=ready_at_us, due_at_us=due_at_us)
