"""The verbs, said to a gateway."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

import grpc

from gotask import v1
from gotask.bus.group_commit import GroupCommit
from gotask.jobs.ids import new_id
from gotask.jobs.states import TERMINAL
from gotask.sdk.client.grpc.channel import metadata_of, open_channel
from gotask.sdk.client.grpc.errors import as_told, away
from gotask.sdk.client.settings import ClientSettings
from gotask.sdk.client.transport import GET_JOB, Reply, Request, Verb
from gotask.sdk.errors import GoTaskError

_MAX_JOBS = 1_000
_MAX_BYTES = 2 << 20
_IN_FLIGHT = 4
_PAUSE_S = 0.1
_LEAST_S = 0.01
_LONGEST_WAIT_S = 30.0

_SUBMIT_JOBS = Verb("JobService", "SubmitJobs", v1.SubmitJobsRequest, v1.SubmitJobsResponse, repeatable=True)
_WATCH_JOB = Verb("JobService", "WatchJob", v1.JobId, v1.JobUpdate)
_WATCH_EVENTS = Verb("JobService", "WatchEvents", v1.WatchEventsRequest, v1.WatchedEvents)
_STREAMS = (_WATCH_JOB, _WATCH_EVENTS)


class GrpcTransport:
    """Submissions gather, and leave together; each has an id already, so that they may be repeated."""

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self._timeout_s = settings.timeout_s
        self._metadata = metadata_of(settings)
        self._channel: grpc.aio.Channel | None = None
        self._methods: dict[str, Any] = {}
        self._commits: GroupCommit[v1.JobSpec, v1.SubmitOutcome] = GroupCommit(
            self._flush,
            max_items=_MAX_JOBS,
            max_bytes=_MAX_BYTES,
            size_of=lambda spec: spec.ByteSize(),
            concurrency=_IN_FLIGHT,
        )

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def new_id(self) -> str:
        return new_id()

    async def connect(self) -> None:
        await self._connected(self._timeout_s)

    async def _connected(self, timeout_s: float) -> None:
        """However long a call may take, whether there is a gateway shows soon."""
        channel = self._opened()
        if channel.get_state(try_to_connect=True) is grpc.ChannelConnectivity.READY:
            return
        try:
            await asyncio.wait_for(channel.channel_ready(), timeout_s)
        except TimeoutError:
            raise away(self._settings.safe_url, self._timeout_s) from None

    async def close(self) -> None:
        await self._commits.drain()
        if self._channel is not None:
            channel, self._channel = self._channel, None
            self._methods.clear()
            await channel.close()

    async def submit(self, specs: Sequence[v1.JobSpec]) -> list[v1.SubmitOutcome]:
        return await asyncio.gather(*map(self._commits.submit, specs))

    async def _flush(self, specs: list[v1.JobSpec]) -> Sequence[v1.SubmitOutcome]:
        jobs = []
        for spec in specs:
            spec.ClearField("created_at_us")
            jobs.append(v1.NewJob(spec=spec))
        reply = await self.call(_SUBMIT_JOBS, v1.SubmitJobsRequest(jobs=jobs))
        for place, outcome in enumerate(reply.outcomes):
            if outcome.status.code:
                outcome.status.field = outcome.status.field.removeprefix(f"jobs.{place}.")
        return reply.outcomes

    async def call(self, verb: Verb[Request, Reply], request: Request) -> Reply:
        return await self._call(verb, request, self._timeout_s + verb.works_s)

    async def wait(self, job_id: str, timeout_s: float) -> v1.Job:
        wait_s = min(timeout_s, _LONGEST_WAIT_S)
        request = v1.GetJobRequest(id=job_id, wait_us=round(wait_s * 1e6))
        return await self._call(GET_JOB, request, wait_s + self._timeout_s)

    async def watch_job(self, job_id: str) -> AsyncGenerator[v1.JobUpdate, None]:
        async with aclosing(self._watched(_WATCH_JOB, v1.JobId(id=job_id))) as updates:
            async for update in updates:
                yield update
                if update.HasField("job") and update.job.state in TERMINAL:
                    return

    async def watch_events(self, request: v1.WatchEventsRequest) -> AsyncGenerator[v1.WatchedEvents, None]:
        following = v1.WatchEventsRequest()
        following.CopyFrom(request)
        async with aclosing(self._watched(_WATCH_EVENTS, following)) as told:
            async for events in told:
                following.cursor = events.cursor
                yield events

    async def _watched(self, verb: Verb[Request, Reply], request: Request) -> AsyncGenerator[Reply, None]:
        """Without end: opened again when it breaks off, with *request* as it is then. Only before the first answer
        there has to be a gateway."""
        told = False
        while True:
            if not told:
                await self._connected(self._timeout_s)
            try:
                call: AsyncIterator[Reply] = self._method(verb)(request, metadata=self._metadata)
                async for answer in call:
                    told = True
                    yield answer
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise self._as_told(error) from None
                await asyncio.sleep(_PAUSE_S)

    async def _call(self, verb: Verb[Request, Reply], request: Request, timeout_s: float) -> Reply:
        end = time.monotonic() + timeout_s
        while True:
            await self._connected(min(self._timeout_s, max(end - time.monotonic(), _LEAST_S)))
            left_s = max(end - time.monotonic(), _LEAST_S)
            try:
                reply: Reply = await self._method(verb)(request, timeout=left_s, metadata=self._metadata)
            except grpc.aio.AioRpcError as error:
                again = verb.repeatable and error.code() is grpc.StatusCode.UNAVAILABLE
                if not again or time.monotonic() + _PAUSE_S > end:
                    raise self._as_told(error) from None
            else:
                return reply
            await asyncio.sleep(_PAUSE_S)

    def _method(self, verb: Verb[Any, Any]) -> Any:
        if verb.name not in self._methods:
            channel = self._opened()
            make = channel.unary_stream if verb in _STREAMS else channel.unary_unary
            self._methods[verb.name] = make(
                f"/gotask.v1.{verb.service}/{verb.name}",
                request_serializer=verb.request.SerializeToString,
                response_deserializer=verb.reply.FromString,
            )
        return self._methods[verb.name]

    def _opened(self) -> grpc.aio.Channel:
        if self._channel is None:
            self._channel = open_channel(self._settings)
        return self._channel

    def _as_told(self, error: grpc.aio.AioRpcError) -> GoTaskError:
        return as_told(error, self._settings.safe_url, self._timeout_s)
