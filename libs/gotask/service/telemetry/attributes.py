"""What spans say: OpenTelemetry's words for messaging, and ``gotask.…`` where there are none."""

from collections.abc import Mapping

from opentelemetry.trace import Span, Status, StatusCode

from gotask import v1

_SYSTEM = "gotask"

Attributes = Mapping[str, str | int]


def of_operation(operation: str) -> Attributes:
    """
    :param operation: one of the convention's operation types.
    """
    return {
        "messaging.system": _SYSTEM,
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
    }


def of_job(job_id: str, queue: str) -> Attributes:
    return {"messaging.destination.name": queue, "messaging.message.id": job_id}


def of_submission(spec: v1.JobSpec, operation: str) -> Attributes:
    return {
        **of_operation(operation),
        **of_job(spec.id, spec.queue),
        "messaging.message.body.size": len(spec.payload),
        "gotask.job.type": spec.type,
    }


def of_attempt(spec: v1.JobSpec, worker: str) -> Attributes:
    return {
        **of_operation("process"),
        **of_job(spec.id, spec.queue),
        "messaging.client.id": worker,
        "gotask.job.type": spec.type,
    }


def of_batch(operation: str, count: int) -> Attributes:
    """
    :param count: jobs, sampled or not.
    """
    return {**of_operation(operation), "messaging.batch.message_count": count}


def fail(span: Span, error_type: str, text: str = "") -> None:
    span.set_attribute("error.type", error_type)
    span.set_status(Status(StatusCode.ERROR, text or error_type))
