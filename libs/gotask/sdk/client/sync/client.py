"""The client for code without an event loop."""

import os
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack, overload

from gotask.sdk.client.client import Client
from gotask.sdk.client.event import JobEvent
from gotask.sdk.client.handle import JobHandle
from gotask.sdk.client.job import Job
from gotask.sdk.client.listing import Criteria, JobPage
from gotask.sdk.client.new_job import NewJob
from gotask.sdk.client.options import JobOptions
from gotask.sdk.client.settings import Credentials
from gotask.sdk.client.sync.dead_letters import SyncDeadLetters
from gotask.sdk.client.sync.handle import SyncJobHandle
from gotask.sdk.client.sync.queues import SyncQueues
from gotask.sdk.client.sync.runner import Runner
from gotask.sdk.client.sync.schedules import SyncSchedules
from gotask.sdk.client.sync.workers import SyncWorkers
from gotask.sdk.client.times import Duration
from gotask.sdk.errors import SubmitFailed

R = TypeVar("R")
T = TypeVar("T")


class SyncClient:
    """As :class:`~gotask.sdk.client.client.Client`, but its calls return when they are done.

        with SyncClient("nats://127.0.0.1:4222") as client:
            job = client.submit("image.resize", {"url": "https://...", "width": 300})
            print(job.result(timeout="1m"))

    One for the whole program: it may be called from many threads at once, whose submissions then leave together. It
    may be made before the process forks; each process that uses it has a connection of its own. Not for coroutines:
    there it would block the event loop.
    """

    def __init__(
        self,
        url: str = "",
        *,
        namespace: str = "",
        timeout: Duration | None = None,
        client: Client | None = None,
        **credentials: Unpack[Credentials],
    ) -> None:
        """As a :class:`Client`; or *client*, which nobody else may use."""
        self._make: Callable[[], Client] = lambda: (
            client or Client(url, namespace=namespace, timeout=timeout, **credentials)
        )
        self._begin()
        self.queues = SyncQueues(self.call)
        self.dead = SyncDeadLetters(self.call, self._each)
        self.schedules = SyncSchedules(self.call)
        self.workers = SyncWorkers(self.call)
        begin = weakref.WeakMethod(self._begin)
        os.register_at_fork(after_in_child=lambda: (anew := begin()) and anew())

    def _begin(self) -> None:
        """Neither a thread nor a connection can be taken into a forked process."""
        self._runner = Runner()
        self._client = self._make()

    def call(self, begin: Callable[[Client], Coroutine[Any, Any, T]]) -> T:
        """Runs a coroutine beside the client it stands on, and returns when it is done."""
        return self._runner.run(lambda: begin(self._client))

    def _each(self, begin: Callable[[Client], AsyncIterator[T]]) -> Iterator[T]:
        """The items of an iterator of the client's, as they come."""
        return self._runner.iterate(begin(self._client))

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def connect(self) -> None:
        self.call(lambda client: client.connect())

    def close(self) -> None:
        """Ends the connection; another call makes it anew."""
        if self._runner.running:
            self.call(lambda client: client.close())
            self._runner.stop()

    @overload
    def submit(self, job: NewJob[R], /) -> SyncJobHandle[R]: ...

    @overload
    def submit(self, job: str, payload: Any = None, /, **options: Unpack[JobOptions]) -> SyncJobHandle[Any]: ...

    def submit(
        self, job: NewJob[Any] | str, payload: Any = None, /, **options: Unpack[JobOptions]
    ) -> SyncJobHandle[Any]:
        new = job if isinstance(job, NewJob) else NewJob(job, payload, **options)
        return SyncJobHandle(self, self.call(lambda client: client.submit(new)))

    def submit_many(self, jobs: Iterable[NewJob[R]]) -> Sequence[SyncJobHandle[R]]:
        wanted = list(jobs)
        try:
            handles = self.call(lambda client: client.submit_many(wanted))
        except SubmitFailed as error:
            outcomes = [SyncJobHandle(self, each) if isinstance(each, JobHandle) else each for each in error.outcomes]
            raise SubmitFailed(outcomes) from None
        return [SyncJobHandle(self, handle) for handle in handles]

    def get(self, job_id: str) -> Job:
        return self.call(lambda client: client.get(job_id))

    def wait(self, job_id: str, timeout: Duration | None = None) -> Job:
        return self.call(lambda client: client.wait(job_id, timeout))

    def result(self, job_id: str, timeout: Duration | None = None) -> Any:
        return self.call(lambda client: client.result(job_id, timeout))

    def watch(self, job_id: str) -> Iterator[Job | JobEvent]:
        return self._each(lambda client: client.watch(job_id))

    def events(self, *, queues: Sequence[str] = (), kinds: Sequence[str] = (), cursor: str = "") -> Iterator[JobEvent]:
        return self._each(lambda client: client.events(queues=queues, kinds=kinds, cursor=cursor))

    def list(self, *, limit: int = 50, cursor: str = "", **criteria: Unpack[Criteria]) -> JobPage:
        return self.call(lambda client: client.list(limit=limit, cursor=cursor, **criteria))

    def iterate(self, **criteria: Unpack[Criteria]) -> Iterator[Job]:
        return self._each(lambda client: client.iterate(**criteria))

    def cancel(self, job_id: str) -> Job:
        return self.call(lambda client: client.cancel(job_id))

    def retry(self, job_id: str) -> Job:
        return self.call(lambda client: client.retry(job_id))

    def delete(self, job_id: str) -> None:
        self.call(lambda client: client.delete(job_id))
