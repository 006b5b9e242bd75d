"""The asynchronous client."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack, overload

from gotask import v1
from gotask.sdk.client import transport as verbs
from gotask.sdk.client.dead_letters import DeadLetters
from gotask.sdk.client.event import JobEvent, event_kinds
from gotask.sdk.client.handle import SUBMISSIONS, JobHandle, read_result
from gotask.sdk.client.job import Job
from gotask.sdk.client.listing import MAX_PAGE, Criteria, JobPage, list_request
from gotask.sdk.client.new_job import NewJob
from gotask.sdk.client.opening import open_transport
from gotask.sdk.client.options import JobOptions
from gotask.sdk.client.queues import Queues
from gotask.sdk.client.settings import ClientSettings, Credentials
from gotask.sdk.client.times import Duration, wait_seconds
from gotask.sdk.client.transport import Transport
from gotask.sdk.client.workers import Workers
from gotask.sdk.errors import GoTaskError, InvalidArgument, SubmitFailed, WaitTimeout, error_of

if TYPE_CHECKING:
    from gotask.sdk.client.schedules import Schedules

R = TypeVar("R")

_WAIT_SLICE_S = 30.0


class Client:
    """Talks to GoTask over NATS or, through a gateway, over gRPC.

        async with Client("nats://127.0.0.1:4222") as client:
            job = await client.submit("image.resize", {"url": "https://...", "width": 300}, queue="images")
            print(await job.result(timeout="1m"))

    Calls that run at the same time share messages: a thousand concurrent ``submit`` cost little more than one. A
    client connects when it is first used, serves one event loop, reconnects by itself, and raises
    :class:`gotask.sdk.errors.GoTaskError` only: Unavailable when nobody answered within *timeout*.
    """

    def __init__(
        self,
        url: str = "",
        *,
        namespace: str = "",
        timeout: Duration | None = None,
        transport: Transport | None = None,
        **credentials: Unpack[Credentials],
    ) -> None:
        """
        :param url: nats://host:port, grpc://host:port or grpcs://host:port; else ``GOTASK_URL``, else
            ``GOTASK_NATS_URL``, else NATS on this machine.
        :param namespace: NATS only; else ``GOTASK_NAMESPACE``, else "gotask".
        :param timeout: how long to wait for an answer; else 10 s.
        :param transport: instead of an address, a way of its own.
        :param credentials: see :class:`ClientSettings`; each else from its variable.
        :raises InvalidArgument: the address cannot be one.
        """
        settings = ClientSettings.load(url, namespace, timeout, credentials)
        self._make: Callable[[], Transport] = lambda: transport or open_transport(settings)
        self._transport = self._make()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.queues = Queues(self._via)
        self.dead = DeadLetters(self._via)
        self.workers = Workers(self._via)

    @cached_property
    def schedules(self) -> "Schedules":
        """What can be done with schedules."""
        # Cron expressions are no concern of a worker.
        from gotask.sdk.client.schedules import Schedules

        return Schedules(self._via)

    def _via(self) -> Transport:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            if self._loop is not None and not self._loop.is_closed():
                raise RuntimeError("a Client serves one event loop: make one for each, or use SyncClient")
            if self._loop is not None:
                self._transport = self._make()
            self._loop = loop
        return self._transport

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def connect(self) -> None:
        """Connects now instead of at the first call; Unavailable when nobody answers in time."""
        await self._via().connect()

    async def close(self) -> None:
        """Ends the connection, once what was submitted is on its way."""
        await self._via().close()
        self._loop = None

    # Submitting

    @overload
    async def submit(self, job: NewJob[R], /) -> JobHandle[R]: ...

    @overload
    async def submit(self, job: str, payload: Any = None, /, **options: Unpack[JobOptions]) -> JobHandle[Any]: ...

    async def submit(
        self, job: NewJob[Any] | str, payload: Any = None, /, **options: Unpack[JobOptions]
    ) -> JobHandle[Any]:
        """Submits a job: a :class:`NewJob`, or a type with its payload and options.

        :raises InvalidArgument: a field is wrong.
        :raises QueueFull: nothing was stored; try again later.
        :raises Unavailable: it was not accepted; the text says whether it may have been stored nevertheless.
        """
        new = job if isinstance(job, NewJob) else NewJob(job, payload, **options)
        transport = self._via()
        (outcome,) = await transport.submit([new.to_spec(transport.new_id(), transport.now_us())])
        handle = self._handle(new, outcome)
        if isinstance(handle, GoTaskError):
            raise handle
        return handle

    async def submit_many(self, jobs: Iterable[NewJob[R]]) -> Sequence[JobHandle[R]]:
        """Submits many jobs together, as few messages as they fit in; their handles, in order.

        :raises SubmitFailed: some were refused; ``outcomes`` tells which, and has the handles of the others.
        """
        transport = self._via()
        wanted = list(jobs)
        specs: list[v1.JobSpec] = []
        outcomes: list[JobHandle[R] | GoTaskError | None] = []
        for new in wanted:
            try:
                specs.append(new.to_spec(transport.new_id(), transport.now_us()))
            except InvalidArgument as error:
                outcomes.append(error)
            else:
                outcomes.append(None)
        answers = iter(await transport.submit(specs))
        results = [
            self._handle(new, next(answers)) if outcome is None else outcome
            for new, outcome in zip(wanted, outcomes, strict=True)
        ]
        taken = [each for each in results if isinstance(each, JobHandle)]
        if len(taken) < len(results):
            raise SubmitFailed(results)
        return taken

    def _handle(self, new: NewJob[R], outcome: v1.SubmitOutcome) -> JobHandle[R] | GoTaskError:
        if outcome.status.code:
            return error_of(outcome.status.code, outcome.status.message, outcome.status.field)
        return JobHandle(self, Job(outcome.job), SUBMISSIONS[outcome.submission], new.returns)

    # Following

    async def get(self, job_id: str) -> Job:
        """The job as it stands, with its history; NotFound if there is none."""
        return Job(await self._via().call(verbs.GET_JOB, v1.GetJobRequest(id=job_id)))

    async def wait(self, job_id: str, timeout: Duration | None = None) -> Job:  # noqa: ASYNC109 - the verb's own
        """The job once it has ended, well or not.

        :param timeout: WaitTimeout after that long; without one, it waits for as long as the job takes.
        """
        transport = self._via()
        end = None if timeout is None else time.monotonic() + wait_seconds(timeout)
        while True:
            left_s = _WAIT_SLICE_S if end is None else min(max(end - time.monotonic(), 0), _WAIT_SLICE_S)
            job = Job(await transport.wait(job_id, left_s))
            if job.ended:
                return job
            if end is not None and time.monotonic() >= end:
                raise WaitTimeout(f"job {job_id} is {job.status} after {timeout}")

    async def result(self, job_id: str, timeout: Duration | None = None) -> Any:  # noqa: ASYNC109
        """What its handler returned; JobFailed if it ended otherwise, WaitTimeout if it has not after *timeout*."""
        return read_result(await self.wait(job_id, timeout), Any)

    async def watch(self, job_id: str) -> AsyncGenerator[Job | JobEvent, None]:
        """First the job as it stands, then what happens to it, and when it has ended the job once more."""
        async with aclosing(self._via().watch_job(job_id)) as updates:
            async for update in updates:
                yield Job(update.job) if update.HasField("job") else JobEvent.of(update.event)

    async def events(
        self, *, queues: Sequence[str] = (), kinds: Sequence[str] = (), cursor: str = ""
    ) -> AsyncGenerator[JobEvent, None]:
        """What happens to all jobs, from now on or after the event whose cursor is given; without end.

        :param queues: of these queues only.
        :param kinds: of these kinds only: created, started, succeeded ...
        """
        request = v1.WatchEventsRequest(queues=queues, kinds=event_kinds(kinds), cursor=cursor)
        gap = False
        async with aclosing(self._via().watch_events(request)) as updates:
            async for watched in updates:
                gap = gap or watched.gap
                for event in watched.events:
                    yield JobEvent.of(event, watched.cursor, gap=gap)
                    gap = False

    # Finding

    async def list(self, *, limit: int = 50, cursor: str = "", **criteria: Unpack[Criteria]) -> JobPage:
        """Jobs that meet all criteria, newest first: a page of *limit*, 500 at most. *cursor* is the page's before."""
        reply = await self._via().call(verbs.LIST_JOBS, list_request(criteria, limit, cursor))
        return JobPage([Job(job) for job in reply.jobs], reply.next_cursor)

    async def iterate(self, **criteria: Unpack[Criteria]) -> AsyncIterator[Job]:
        """All jobs that meet all criteria, newest first, page by page."""
        cursor = ""
        while True:
            page = await self.list(limit=MAX_PAGE, cursor=cursor, **criteria)
            for job in page.items:
                yield job
            cursor = page.next_cursor
            if not cursor:
                return

    # Changing

    async def cancel(self, job_id: str) -> Job:
        """A waiting job is cancelled at once, a running one told to end; Refused if it has ended, or was told."""
        return Job(await self._via().call(verbs.CANCEL_JOB, v1.JobId(id=job_id)))

    async def retry(self, job_id: str) -> Job:
        """Runs a job anew that failed, is dead, cancelled or expired; Refused if it is none of these."""
        return Job(await self._via().call(verbs.RETRY_JOB, v1.JobId(id=job_id)))

    async def delete(self, job_id: str) -> None:
        """Forgets a job that has ended; Refused if it has not."""
        await self._via().call(verbs.DELETE_JOB, v1.JobId(id=job_id))
