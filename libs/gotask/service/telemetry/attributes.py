"""What spans say: OpenTelemetry's words for messaging, and ``gotask.…`` where there are none."""

from typing import Any

from opentelemetry.trace import Span, Status, StatusCode

from gotask import v1

_SYSTEM = "gotask"

Attributes = dict[str, Any]


def of_batch(operation: str, count: int) -> Attributes:
    """
    :param count: jobs, sampled or not.
    """
    return {
        "messaging.system": _SYSTEM,
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.batch.message_count": count,
    }


def of_message(job_id: str, queue: str, operation: str, kind: str = "") -> Attributes:
    attributes = {
        "messaging.system": _SYSTEM,
        "messaging.operation.name": operation,
        "messaging.destination.name": queue,
        "messaging.message.id": job_id,
    }
    return attributes | ({"messaging.operation.type": kind} if kind else {})


def of_job(spec: v1.JobSpec, operation: str, kind: str = "") -> Attributes:
    """
    :param kind: one of the convention's operation types; none for what is no operation of messaging.
    """
    return {**of_message(spec.id, spec.queue, operation, kind), "gotask.job.type": spec.type}


def size_of(spec: v1.JobSpec) -> Attributes:
    return {"messaging.message.body.size": len(spec.payload)}


def of_attempt(attempt: int, worker: str) -> Attributes:
    return {"gotask.attempt": attempt, "gotask.worker.id": worker}


def fail(span: Span, error_type: str, text: str = "") -> None:
    span.set_attribute("error.type", error_type)
    span.set_status(Status(StatusCode.ERROR, text or error_type))
