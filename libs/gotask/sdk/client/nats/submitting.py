"""Submits jobs to the stream, and reads those that were there before."""

import asyncio
import time
from collections.abc import Sequence

from gotask import v1
from gotask.bus.errors import Code, CommandError
from gotask.bus.submissions import Answer
from gotask.jobs.states import PENDING, SCHEDULED
from gotask.sdk.client.nats.link import Link
from gotask.sdk.errors import GoTaskError


async def submit(link: Link, specs: Sequence[v1.JobSpec]) -> list[v1.SubmitOutcome]:
    """What became of each job, in order."""
    answers = await link.submissions.submit(specs)
    outcomes = [_outcome(spec, answer) for spec, answer in zip(specs, answers, strict=True)]
    unread = [outcome for outcome in outcomes if outcome.submission and not outcome.job.spec.type]
    if unread:
        reads = [link.reads.submit(outcome.job.spec.id) for outcome in unread]
        for outcome, found in zip(unread, await asyncio.gather(*reads, return_exceptions=True), strict=True):
            _put(outcome, found)
    return outcomes


def _outcome(spec: v1.JobSpec, answer: Answer) -> v1.SubmitOutcome:
    """A job that has to be read yet has an id only."""
    if isinstance(answer, CommandError):
        return v1.SubmitOutcome(status=answer.status())
    if answer is None:
        waits = spec.scheduled_at_us > time.time_ns() // 1000
        return v1.SubmitOutcome(submission=v1.SUBMISSION_ACCEPTED, job=_job(spec, SCHEDULED if waits else PENDING))
    if answer.status.code:
        return v1.SubmitOutcome(status=answer.status)
    if answer.HasField("spec"):
        job = _job(answer.spec, answer.state)
        job.ready_at_us = answer.ready_at_us
        return v1.SubmitOutcome(submission=v1.SUBMISSION_CREATED, job=job)
    existing_id = answer.existing_id or spec.id
    how = v1.SUBMISSION_CREATED if existing_id == spec.id else v1.SUBMISSION_EXISTED
    return v1.SubmitOutcome(submission=how, job=v1.Job(spec=v1.JobSpec(id=existing_id)))


def _job(spec: v1.JobSpec, state: v1.JobState.ValueType) -> v1.Job:
    return v1.Job(spec=spec, state=state, due_at_us=spec.scheduled_at_us if state == SCHEDULED else 0)


def _put(outcome: v1.SubmitOutcome, found: v1.Job | BaseException | None) -> None:
    if isinstance(found, v1.Job):
        outcome.job.CopyFrom(found)
        return
    if isinstance(found, BaseException) and not isinstance(found, GoTaskError):
        raise found
    why = "the first job with this key has just been deleted; repeat" if found is None else str(found)
    outcome.Clear()
    outcome.status.MergeFrom(v1.Status(code=Code.UNAVAILABLE, message=why))
