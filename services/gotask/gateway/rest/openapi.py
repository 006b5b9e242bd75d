"""What /openapi.json says that FastAPI cannot see for itself: bodies that are read as bytes, and problems."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel

from gotask.gateway.rest.params import DeadRetry
from gotask.gateway.rest.problems import PROBLEM_JSON
from gotask.gateway.rest.schemas import JobEvent, Problem
from gotask.jobs.durations import format_us
from gotask.jobs.request import JobRequest, QueueFields, QueueRequest
from gotask.jobs.schedule_request import ScheduleRequest

_REF = "#/components/schemas/{model}"
_DURATION = {"string", "number"}


def answers(documents: Mapping[int, type[BaseModel] | None], *problems: int) -> dict[int | str, dict[str, Any]]:
    """A route's answers: its documents by status, and the statuses that come as problem documents."""
    good: dict[int | str, dict[str, Any]] = {
        status: {"description": HTTPStatus(status).phrase} | ({"model": document} if document else {})
        for status, document in documents.items()
    }
    bad: dict[int | str, dict[str, Any]] = {status: problem_answer(HTTPStatus(status).phrase) for status in problems}
    return good | bad | {"default": problem_answer("Any other error")}


def problem_answer(description: str) -> dict[str, Any]:
    """An answer that is a problem document."""
    return {"description": description, "content": {PROBLEM_JSON: {"schema": {"$ref": _REF.format(model="Problem")}}}}


def body_of(schema: str, *, required: bool = True) -> dict[str, Any]:
    """The body of a route, as one of the schemas of requests."""
    return {
        "requestBody": {
            "required": required,
            "content": {"application/json": {"schema": {"$ref": _REF.format(model=schema)}}},
        }
    }


def request_schemas() -> dict[str, Any]:
    """The schemas that :func:`answers` and :func:`body_of` refer to."""
    schemas = {
        model.__name__: _readable(model.model_json_schema(ref_template=_REF))
        for model in (JobRequest, QueueRequest, QueueFields, DeadRetry, ScheduleRequest)
    }
    schemas["BatchRequest"] = {
        "type": "object",
        "title": "BatchRequest",
        "description": "Jobs to run.",
        "required": ["jobs"],
        "additionalProperties": False,
        "properties": {
            "jobs": {
                "type": "array",
                "minItems": 1,
                "maxItems": 1_000,
                "items": {"anyOf": [{"$ref": _REF.format(model="JobRequest")}, {}]},
                "description": "Each is looked at on its own: what is no JobRequest is refused alone.",
            }
        },
    }
    event = JobEvent.model_json_schema(ref_template=_REF)
    schemas |= {**event.pop("$defs"), "JobEvent": event}
    problem = Problem.model_json_schema(ref_template=_REF)
    return {**schemas, **problem.pop("$defs"), "Problem": problem}


def _readable(schema: dict[str, Any]) -> dict[str, Any]:
    """Defaults of durations as users write them; the models hold microseconds."""
    for field in schema["properties"].values():
        if {choice.get("type") for choice in field.get("anyOf", ())} == _DURATION and field.get("default"):
            field["default"] = format_us(field["default"])
    return schema
