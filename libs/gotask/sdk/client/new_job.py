"""A job to submit."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar, Unpack

from gotask import v1
from gotask.jobs.request import JobRequest
from gotask.jobs.validation import InvalidJob
from gotask.sdk.client.options import JobOptions, checked
from gotask.sdk.errors import InvalidArgument

R_co = TypeVar("R_co", covariant=True)


class NewJob(Generic[R_co]):
    """What to run: made by hand, or by a handler's ``job(...)``, which knows what its result is.

        NewJob("image.resize", {"url": "https://...", "width": 300}, queue="images", delay="5m")

    :raises InvalidArgument: an option is wrong.
    """

    __slots__ = ("request", "returns")

    def __init__(
        self: "NewJob[Any]", job_type: str, payload: Any = None, *, returns: Any = Any, **options: Unpack[JobOptions]
    ) -> None:
        """*returns* is the type that its result is read as; Any takes the JSON as it is."""
        self.request = checked(JobRequest, {"type": job_type, **options})
        self.request.payload = payload
        self.returns = returns

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "NewJob[Any]":
        """From a job as REST takes it."""
        job: NewJob[Any] = NewJob.__new__(NewJob)
        job.request = checked(JobRequest, {name: value for name, value in document.items() if name != "payload"})
        job.request.payload = document.get("payload")
        job.returns = Any
        return job

    def to_spec(self, job_id: str, now_us: int) -> v1.JobSpec:
        """The job under *job_id*: however often that is sent, it is one job. InvalidArgument when its payload is not
        JSON, or too large."""
        try:
            return self.request.to_spec(job_id, now_us)
        except InvalidJob as error:
            raise InvalidArgument(error.reason, error.field) from None
