"""An event, as REST shows it."""

from typing import Any

from gotask import v1
from gotask.bus.subjects import KIND_TOKENS
from gotask.gateway.rest.job_document import error_document, progress_document
from gotask.gateway.rest.times import moment


def event_document(event: v1.JobEvent) -> dict[str, Any]:
    """What does not apply to its kind is null."""
    return {
        "kind": KIND_TOKENS[event.kind],
        "job_id": event.job_id,
        "queue": event.queue,
        "type": event.type or None,
        "worker": event.worker or None,
        "at": moment(event.at_us),
        "attempt": event.attempt or None,
        "wait_seconds": event.wait_us / 1e6 if event.kind == v1.EVENT_KIND_STARTED else None,
        "run_seconds": event.run_us / 1e6 if event.run_us else None,
        "error": error_document(event.error) if event.HasField("error") else None,
        "progress": progress_document(event.progress) if event.HasField("progress") else None,
    }
