"""The answer to a job that was submitted as JSON."""

from typing import Any

import orjson

from gotask import v1
from gotask.bus.errors import Code
from gotask.jobs.states import name_of


def json_answer(job_id: str, result: v1.SubmitResult) -> bytes:
    """*job_id* is the id that the job was to have; the answer has the one that it has."""
    return orjson.dumps(_document(job_id, result))


def _document(job_id: str, result: v1.SubmitResult) -> dict[str, Any]:
    status = result.status
    if status.code:
        code = Code(status.code).name.lower()
        return {"error": {"code": code, "field": status.field or None, "message": status.message}}
    if result.HasField("spec"):
        return {
            "id": result.spec.id,
            "queue": result.spec.queue,
            "submission": "created",
            "status": name_of(result.state),
        }
    existed = result.existing_id not in ("", job_id)
    return {"id": result.existing_id or job_id, "submission": "existed" if existed else "created"}
