"""The application with a description that is whole."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from gotask.gateway.access.rules import OPEN, REST
from gotask.gateway.rest.openapi import problem_answer, request_schemas

_SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key, or a JSON Web Token.",
    },
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key."},
}
_OF_EVERY_GUARDED_CALL = (401, 403, 429)
_PATH_PARAMETERS = {
    "job_id": "The id that the job got when it was submitted.",
    "name": "The queue's name.",
    "worker_id": "The worker's id.",
    "schedule_id": "The id that the schedule got when it was created.",
}


class DescribedApi(FastAPI):
    """Its description is made when it is first asked for, and says what FastAPI cannot see for itself."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            described = super().openapi()
            described["components"]["schemas"].update(request_schemas())
            described["components"]["securitySchemes"] = _SECURITY_SCHEMES
            for path, operations in described["paths"].items():
                for method, operation in operations.items():
                    _complete(f"{method.upper()} {path}", operation)
        return self.openapi_schema or {}


def _complete(call: str, operation: dict[str, Any]) -> None:
    """Who may make the *call*, and what its parameters mean that stand in its path."""
    if call not in OPEN:
        operation["security"] = [{name: []} for name in _SECURITY_SCHEMES]
        operation["description"] += f"\n\nNeeds the scope `{REST.get(call)}`, where callers have to say who they are."
        operation["responses"] |= {
            str(status): problem_answer(HTTPStatus(status).phrase) for status in _OF_EVERY_GUARDED_CALL
        }
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            parameter.setdefault("description", _PATH_PARAMETERS.get(parameter["name"], ""))
