"""Reads what was published to a submit subject: a SubmitJobs message, or one job as JSON."""

from typing import NamedTuple

from google.protobuf.message import DecodeError
from nats.aio.msg import Msg
from pydantic import ValidationError

from gotask import v1
from gotask.bus.consumer import Undecodable
from gotask.bus.subjects import Subjects
from gotask.jobs.ids import derived_id
from gotask.jobs.request import JobRequest
from gotask.jobs.validation import InvalidJob

CONTENT_TYPE = "Content-Type"
REPLY_TO = "Gotask-Reply-To"
JSON = "application/json"


class Submission(NamedTuple):
    """Jobs, and the queue that the subject named ("" for any)."""

    request: v1.SubmitJobs
    queue: str
    message: Msg


class SubmissionDecoder:
    """Decodes messages of the SUBMIT stream."""

    def __init__(self, subjects: Subjects) -> None:
        self._subjects = subjects

    def __call__(self, message: Msg) -> Submission:
        """Undecodable says what is wrong with the message."""
        queue = self._subjects.queue_of_submit(message.subject) or ""
        headers = message.headers or {}
        if headers.get(CONTENT_TYPE, "").partition(";")[0].strip().lower() == JSON:
            request = _from_json(message, queue, headers.get(REPLY_TO, ""))
        else:
            try:
                request = v1.SubmitJobs.FromString(message.data)
            except DecodeError as error:
                raise Undecodable(
                    f"neither a SubmitJobs message nor, by its {CONTENT_TYPE} header, JSON: {error}"
                ) from None
        return Submission(request, queue, message)


def _from_json(message: Msg, queue: str, reply_to: str) -> v1.SubmitJobs:
    metadata = message.metadata
    stored_at_us = round(metadata.timestamp.timestamp() * 1e6)
    job_id = derived_id(stored_at_us, f"{metadata.stream}:{metadata.sequence.stream}")
    try:
        request = JobRequest.model_validate_json(message.data)
        if queue and "queue" not in request.model_fields_set:
            request.queue = queue
        spec = request.to_spec(job_id, stored_at_us)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'body'}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        )
        raise Undecodable(problems) from None
    except InvalidJob as error:
        raise Undecodable(str(error)) from None
    return v1.SubmitJobs(jobs=[spec], reply_to=reply_to)
