"""A job that was submitted, and what can be done with it."""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError, PydanticUndefinedAnnotation

from gotask import v1
from gotask.sdk.client.event import JobEvent
from gotask.sdk.client.job import Job
from gotask.sdk.client.times import Duration
from gotask.sdk.errors import InternalError, JobFailed

if TYPE_CHECKING:
    from gotask.sdk.client.client import Client

Submission = Literal["created", "existed", "accepted"]
"""How a submission ended well: stored; a job with its key was there before; or safe with the broker, though nobody has
stored it yet."""

SUBMISSIONS: dict[int, Submission] = {
    v1.SUBMISSION_CREATED: "created",
    v1.SUBMISSION_EXISTED: "existed",
    v1.SUBMISSION_ACCEPTED: "accepted",
}

R_co = TypeVar("R_co", covariant=True)


class JobHandle(Generic[R_co]):
    """``job`` is the job as it stood when it was submitted."""

    __slots__ = ("_client", "job", "returns", "submission")

    def __init__(self, client: "Client", job: Job, submission: Submission, returns: Any) -> None:
        self._client = client
        self.job = job
        self.submission = submission
        self.returns = returns

    def __repr__(self) -> str:
        return f"<JobHandle {self.id} {self.job.type} {self.submission}>"

    @property
    def id(self) -> str:
        return self.job.id

    async def get(self) -> Job:
        """The job as it stands now."""
        return await self._client.get(self.id)

    async def wait(self, timeout: Duration | None = None) -> Job:  # noqa: ASYNC109 - the verb's own
        """The job once it has ended, well or not; WaitTimeout if it has not after *timeout*."""
        return await self._client.wait(self.id, timeout)

    async def result(self, timeout: Duration | None = None) -> R_co:  # noqa: ASYNC109
        """What its handler returned; JobFailed if it ended otherwise, WaitTimeout if it has not after *timeout*."""
        return cast("R_co", read_result(await self.wait(timeout), self.returns))

    async def cancel(self) -> Job:
        return await self._client.cancel(self.id)

    async def retry(self) -> Job:
        return await self._client.retry(self.id)

    async def delete(self) -> None:
        await self._client.delete(self.id)

    def watch(self) -> AsyncGenerator[Job | JobEvent, None]:
        """What happens to it, until it has ended: see :meth:`Client.watch`."""
        return self._client.watch(self.id)


def read_result(job: Job, returns: Any) -> Any:
    """The result of a job that has ended, as *returns* has it; JobFailed if it did not succeed."""
    if not job.succeeded:
        raise JobFailed(job)
    if returns in (Any, None, type(None)):
        return job.result
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(returns)
    except (PydanticSchemaGenerationError, PydanticUndefinedAnnotation):
        return job.result
    try:
        return adapter.validate_python(job.result)
    except ValidationError as error:
        raise InternalError(f"the result of job {job.id} is not what its handler says it returns: {error}") from None
