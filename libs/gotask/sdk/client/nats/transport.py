"""The verbs, said over NATS."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import cast

from google.protobuf.empty_pb2 import Empty

from gotask import v1
from gotask.bus.bus import Bus
from gotask.bus.following import follow
from gotask.jobs.ids import is_id, new_id
from gotask.jobs.states import TERMINAL
from gotask.sdk.client.nats import dead_letters, queues, schedules, workers
from gotask.sdk.client.nats.handler import Handler, command
from gotask.sdk.client.nats.link import Link
from gotask.sdk.client.nats.recorded import recorded_events
from gotask.sdk.client.nats.submitting import submit
from gotask.sdk.client.settings import ClientSettings
from gotask.sdk.client.transport import Reply, Request, Verb
from gotask.sdk.errors import NotFound

_FIRST_LOOK_S = 1.0
_LONGEST_LOOK_S = 8.0


class NatsTransport:
    """Connects when it is first needed, and anew when the broker ended the connection for good."""

    def __init__(self, settings: ClientSettings, bus: Bus | None = None) -> None:
        """
        :param bus: a connection of somebody else's, which stays open when this is closed.
        """
        self._settings = settings
        self._bus = bus
        self._open: Link | None = None
        self._opening = asyncio.Lock()

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def new_id(self) -> str:
        return new_id()

    async def connect(self) -> None:
        await self._link()

    async def close(self) -> None:
        if self._open is not None:
            link, self._open = self._open, None
            await link.close()
            if self._bus is None:
                await link.bus.close()

    async def submit(self, specs: Sequence[v1.JobSpec]) -> list[v1.SubmitOutcome]:
        return await submit(await self._link(), specs)

    async def call(self, verb: Verb[Request, Reply], request: Request) -> Reply:
        return cast("Reply", await _HANDLERS[verb.name](await self._link(), request))

    async def wait(self, job_id: str, timeout_s: float) -> v1.Job:
        link = await self._link()
        job = await _get(link, job_id)
        if job.state in TERMINAL:
            return job
        look_s = _FIRST_LOOK_S
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s), link.watches.end_of(job_id, job.spec.queue) as ended:
                while (job := await _get(link, job_id)).state not in TERMINAL:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(look_s):
                            await ended.wait()
                    ended.clear()
                    look_s = min(look_s * 2, _LONGEST_LOOK_S)
        return job

    async def watch_job(self, job_id: str) -> AsyncGenerator[v1.JobUpdate, None]:
        link = await self._link()
        queue = (await _get(link, job_id)).spec.queue
        async with contextlib.aclosing(follow(link.watches, job_id, lambda: link.reads.submit(job_id), queue)) as told:
            async for update in told:
                yield update

    async def watch_events(self, request: v1.WatchEventsRequest) -> AsyncGenerator[v1.WatchedEvents, None]:
        link = await self._link()
        async with contextlib.aclosing(recorded_events(link, request)) as told:
            async for events in told:
                yield events

    async def _link(self) -> Link:
        if self._open is None or self._open.bus.closed.is_set():
            async with self._opening:
                if self._open is None or self._open.bus.closed.is_set():
                    self._open = await Link.open(self._settings, self._bus)
        return self._open


async def _get(link: Link, job_id: str) -> v1.Job:
    job = await link.reads.submit(job_id) if is_id(job_id) else None
    if job is None:
        raise NotFound(f"there is no job {job_id}", "id")
    return job


def _change(verb: str) -> Handler:
    """A command for one job; the job as it stands then."""

    async def handle(link: Link, request: v1.JobId) -> v1.Job:
        await link.job_command(verb, request.id)
        return await _get(link, request.id)

    return handle


async def _delete(link: Link, request: v1.JobId) -> Empty:
    await link.job_command("delete_jobs", request.id)
    return Empty()


_HANDLERS: Mapping[str, Handler] = {
    "GetJob": lambda link, request: _get(link, request.id),
    "ListJobs": command("list_jobs", v1.ListJobsResponse),
    "CancelJob": _change("cancel_jobs"),
    "RetryJob": _change("retry_jobs"),
    "DeleteJob": _delete,
    **queues.HANDLERS,
    **dead_letters.HANDLERS,
    **schedules.HANDLERS,
    **workers.HANDLERS,
}
