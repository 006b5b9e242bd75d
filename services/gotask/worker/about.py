"""What the log says of jobs."""

from typing import Any, Protocol

import structlog

from gotask import v1
from gotask.service.telemetry import trace_id_of

_log = structlog.get_logger("gotask.worker")


class Described(Protocol):
    """A job that this worker holds."""

    spec: v1.JobSpec

    def about(self) -> dict[str, Any]: ...


def about_job(spec: v1.JobSpec, attempt: int) -> dict[str, Any]:
    """The fields that every line has which is logged while it runs."""
    fields = {"job_id": spec.id, "queue": spec.queue, "type": spec.type, "attempt": attempt}
    trace_id = trace_id_of(spec.traceparent)
    return fields | ({"trace_id": trace_id} if trace_id else {})


class FailureLog:
    """One line for each attempt that failed."""

    def __init__(self, *, payloads: bool) -> None:
        """
        :param payloads: whether the line holds the job's payload and the error's text, which may quote it.
        """
        self._payloads = payloads

    def tell(self, job: Described, error: v1.JobError) -> None:
        fields: dict[str, Any] = {**job.about(), "error": error.type}
        if self._payloads:
            payload = job.spec.payload.decode(errors="replace")
            fields |= {"payload": payload, "message": error.message, "traceback": error.traceback}
        _log.warning("attempt failed", **fields)
