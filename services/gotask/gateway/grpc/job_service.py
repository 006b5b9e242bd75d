"""gotask.v1.JobService."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from google.protobuf.empty_pb2 import Empty

from gotask import v1
from gotask.bus.errors import CommandError
from gotask.bus.subjects import KIND_TOKENS
from gotask.gateway.access.caller import Caller
from gotask.gateway.grpc.new_jobs import spec_of
from gotask.gateway.grpc.pages import page_size, shortened
from gotask.gateway.grpc.statuses import status_of
from gotask.gateway.grpc.submit_stream import SubmitStream
from gotask.gateway.jobs import Brief, How, Submitted
from gotask.gateway.parts import Parts
from gotask.gateway.refusals import refusal_of
from gotask.gateway.settings import GatewaySettings
from gotask.jobs.validation import InvalidJob
from gotask.service.clock import Clock
from gotask.storage.filtering import criteria_of

_MAX_JOBS = 1_000
_MAX_WAIT_US = 60_000_000
_SUBMISSIONS = {
    How.CREATED: v1.SUBMISSION_CREATED,
    How.EXISTED: v1.SUBMISSION_EXISTED,
    How.ACCEPTED: v1.SUBMISSION_ACCEPTED,
}


class JobService:
    """Each method answers the call of its name."""

    def __init__(self, settings: GatewaySettings, clock: Clock, parts: Parts) -> None:
        self._max_payload_bytes = settings.max_payload_bytes
        self._clock = clock
        self._jobs = parts.jobs
        self._rates = parts.rates
        self._following = parts.following
        self._feed = parts.feed

    async def submit_job(self, caller: Caller, request: v1.NewJob) -> v1.SubmittedJob:
        spec = spec_of(request, self._clock.now_us(), self._max_payload_bytes)
        (outcome,) = await self._jobs.submit(caller, [spec])
        if isinstance(outcome, CommandError):
            raise outcome
        return v1.SubmittedJob(submission=_SUBMISSIONS[outcome.how], job=outcome.job)

    async def submit_jobs(self, caller: Caller, request: v1.SubmitJobsRequest) -> v1.SubmitJobsResponse:
        _check_number(request.jobs)
        self._rates.add(caller, len(request.jobs) - 1)
        read = self._specs(request.jobs)
        outcomes = iter(await self._jobs.submit(caller, [spec for spec in read if isinstance(spec, v1.JobSpec)]))
        return v1.SubmitJobsResponse(
            outcomes=[
                _outcome(index, spec if isinstance(spec, Exception) else next(outcomes))
                for index, spec in enumerate(read)
            ]
        )

    async def submit_stream(
        self, caller: Caller, requests: AsyncIterator[v1.SubmitFrame]
    ) -> AsyncGenerator[v1.SubmitFrameAck, None]:
        async def begin(frame: v1.SubmitFrame) -> None:
            _check_number(frame.jobs)
            await asyncio.sleep(self._rates.wait_s(caller))
            self._rates.add(caller, len(frame.jobs))

        async def answer(frame: v1.SubmitFrame) -> v1.SubmitFrameAck:
            read = self._specs(frame.jobs)
            specs = [spec for spec in read if isinstance(spec, v1.JobSpec)]
            answers = iter(await self._jobs.submit_briefly(caller, specs))
            return v1.SubmitFrameAck(
                frame=frame.frame,
                acks=[_ack(spec if isinstance(spec, Exception) else next(answers)) for spec in read],
            )

        acks = SubmitStream(begin, answer).run(requests)
        async with contextlib.aclosing(acks):
            async for ack in acks:
                yield ack

    def _specs(self, wanted: Sequence[v1.NewJob]) -> list[v1.JobSpec | Exception]:
        now_us = self._clock.now_us()
        read: list[v1.JobSpec | Exception] = []
        for each in wanted:
            try:
                read.append(spec_of(each, now_us, self._max_payload_bytes))
            except InvalidJob as error:
                read.append(error)
        return read

    async def get_job(self, caller: Caller, request: v1.GetJobRequest) -> v1.Job:
        if request.wait_us > _MAX_WAIT_US:
            raise InvalidJob("wait_us", "is longer than 60 s")
        if request.wait_us:
            return await self._jobs.wait(caller, request.id, request.wait_us / 1e6)
        return await self._jobs.get(caller, request.id)

    async def list_jobs(self, caller: Caller, request: v1.ListJobsRequest) -> v1.ListJobsResponse:
        if any(state not in v1.JobState.values() or not state for state in request.states):
            raise InvalidJob("states", "holds one that is not known")
        page = await self._jobs.list_jobs(caller, criteria_of(request), request.cursor, page_size(request.limit))
        return v1.ListJobsResponse(jobs=shortened(page.jobs), next_cursor=page.next_cursor)

    async def cancel_job(self, caller: Caller, request: v1.JobId) -> v1.Job:
        return await self._jobs.cancel(caller, request.id)

    async def retry_job(self, caller: Caller, request: v1.JobId) -> v1.Job:
        return await self._jobs.retry(caller, request.id)

    async def delete_job(self, caller: Caller, request: v1.JobId) -> Empty:
        await self._jobs.delete(caller, request.id)
        return Empty()

    def watch_job(self, caller: Caller, request: v1.JobId) -> AsyncGenerator[v1.JobUpdate, None]:
        return self._following.follow(caller, request.id)

    async def watch_events(
        self, caller: Caller, request: v1.WatchEventsRequest
    ) -> AsyncGenerator[v1.WatchedEvents, None]:
        if any(kind not in KIND_TOKENS for kind in request.kinds):
            raise InvalidJob("kinds", "holds one that is not known")
        feed = self._feed.events(caller, request.queues, request.kinds, request.cursor)
        async with contextlib.aclosing(feed):
            async for happened in feed:
                yield v1.WatchedEvents(
                    cursor=str(happened.after), events=[event for _, event in happened.events], gap=happened.gap
                )


def _check_number(jobs: Sequence[v1.NewJob]) -> None:
    if not 1 <= len(jobs) <= _MAX_JOBS:
        raise InvalidJob("jobs", f"{len(jobs)} jobs; give 1 to {_MAX_JOBS}")


def _outcome(index: int, outcome: Submitted | Exception) -> v1.SubmitOutcome:
    if isinstance(outcome, Exception):
        return v1.SubmitOutcome(status=status_of(refusal_of(outcome).below(f"jobs.{index}")))
    return v1.SubmitOutcome(submission=_SUBMISSIONS[outcome.how], job=outcome.job)


def _ack(outcome: Brief | Exception) -> v1.SubmitAck:
    if isinstance(outcome, Exception):
        return v1.SubmitAck(status=status_of(refusal_of(outcome)))
    return v1.SubmitAck(submission=_SUBMISSIONS[outcome.how], id=outcome.job_id, state=outcome.state)
