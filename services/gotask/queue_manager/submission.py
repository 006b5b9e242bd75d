"""Reads what was published to a submit subject: a SubmitJobs message, or one job as JSON."""

from typing import NamedTuple

from google.protobuf.message import DecodeError
from nats.aio.msg import Msg
from pydantic import ValidationError

from gotask import v1
from gotask.bus.consumer import Inadmissible, Undecodable
from gotask.bus.errors import Code
from gotask.bus.inboxes import Inboxes
from gotask.bus.subjects import Subjects
from gotask.jobs.field_errors import FieldError, field_errors
from gotask.jobs.ids import derived_id
from gotask.jobs.request import JobRequest
from gotask.jobs.validation import InvalidJob

CONTENT_TYPE = "Content-Type"
REPLY_TO = "Gotask-Reply-To"
JSON = "application/json"


class Submission(NamedTuple):
    """Jobs, and the queue that the subject named ("" for any).

    *as_json*: one job came as JSON, and so goes its answer. *problem*: why it could not be read; then there is no job.
    """

    request: v1.SubmitJobs
    queue: str
    message: Msg
    as_json: bool = False
    problem: v1.Status | None = None


class SubmissionDecoder:
    """Decodes messages of the SUBMIT stream."""

    def __init__(self, subjects: Subjects, inboxes: Inboxes) -> None:
        self._subjects = subjects
        self._inboxes = inboxes

    def __call__(self, message: Msg) -> Submission:
        """Undecodable for what is no SubmitJobs message, Inadmissible for one whose answer may not go where it says.
        JSON that is no job is a submission with a problem: whoever sent it may wait for the answer."""
        queue = self._subjects.queue_of_submit(message.subject) or ""
        headers = message.headers or {}
        if headers.get(CONTENT_TYPE, "").partition(";")[0].strip().lower() == JSON:
            reply_to = headers.get(REPLY_TO, "")
            self._check(REPLY_TO, reply_to)
            return _from_json(message, queue, reply_to)
        try:
            request = v1.SubmitJobs.FromString(message.data)
        except DecodeError as error:
            raise Undecodable(
                f"neither a SubmitJobs message nor, by its {CONTENT_TYPE} header, JSON: {error}"
            ) from None
        self._check("reply_to", request.reply_to)
        return Submission(request, queue, message)

    def _check(self, field: str, reply_to: str) -> None:
        try:
            if reply_to:
                self._inboxes.check(reply_to)
        except ValueError as error:
            raise Inadmissible(f"{field}: {error}") from None


def _from_json(message: Msg, queue: str, reply_to: str) -> Submission:
    metadata = message.metadata
    stored_at_us = round(metadata.timestamp.timestamp() * 1e6)
    job_id = derived_id(stored_at_us, f"{metadata.stream}:{metadata.sequence.stream}")
    request = v1.SubmitJobs(reply_to=reply_to)
    problem = None
    try:
        job = JobRequest.model_validate_json(message.data)
        if queue and "queue" not in job.model_fields_set:
            job.queue = queue
        request.jobs.append(job.to_spec(job_id, stored_at_us))
    except ValidationError as error:
        problem = _problem(field_errors(error.errors(include_url=False, include_context=False, include_input=False)))
    except InvalidJob as error:
        problem = _problem([FieldError(error.field, error.reason)])
    return Submission(request, queue, message, as_json=True, problem=problem)


def _problem(errors: list[FieldError]) -> v1.Status:
    """Names the first field, and tells of all."""
    text = "; ".join([errors[0].reason, *(f"{error.field}: {error.reason}" for error in errors[1:])])
    return v1.Status(code=Code.INVALID_ARGUMENT, message=text, field=errors[0].field)
