"""A job that was submitted by a :class:`SyncClient`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from gotask.sdk.client.event import JobEvent
from gotask.sdk.client.handle import JobHandle, Submission, read_result
from gotask.sdk.client.job import Job
from gotask.sdk.client.times import Duration

if TYPE_CHECKING:
    from gotask.sdk.client.sync.client import SyncClient

R_co = TypeVar("R_co", covariant=True)


class SyncJobHandle(Generic[R_co]):
    """As :class:`~gotask.sdk.client.handle.JobHandle`, but its calls return when they are done."""

    __slots__ = ("_client", "_returns", "job", "submission")

    def __init__(self, client: "SyncClient", handle: JobHandle[R_co]) -> None:
        self._client = client
        self._returns = handle.returns
        self.job: Job = handle.job
        self.submission: Submission = handle.submission

    def __repr__(self) -> str:
        return f"<SyncJobHandle {self.id} {self.job.type} {self.submission}>"

    @property
    def id(self) -> str:
        return self.job.id

    def get(self) -> Job:
        return self._client.get(self.id)

    def wait(self, timeout: Duration | None = None) -> Job:
        return self._client.wait(self.id, timeout)

    def result(self, timeout: Duration | None = None) -> R_co:
        return cast("R_co", read_result(self.wait(timeout), self._returns))

    def cancel(self) -> Job:
        return self._client.cancel(self.id)

    def retry(self) -> Job:
        return self._client.retry(self.id)

    def delete(self) -> None:
        self._client.delete(self.id)

    def watch(self) -> Iterator[Job | JobEvent]:
        return self._client.watch(self.id)
