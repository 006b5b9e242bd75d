"""Health, documentation, and paths that do not exist."""

from collections.abc import Iterator
from typing import Any

import pytest

from gotask.jobs.request import QueueRequest
from tests.services.gateway.support import API, Door, problem

PATHS = {
    "/jobs": {"get", "post"},
    "/jobs/batch": {"post"},
    "/jobs/{job_id}": {"get", "delete"},
    "/jobs/{job_id}/cancel": {"post"},
    "/jobs/{job_id}/retry": {"post"},
    "/queues": {"get", "post"},
    "/queues/{name}": {"get", "put", "delete"},
    "/queues/{name}/pause": {"post"},
    "/queues/{name}/resume": {"post"},
    "/queues/{name}/stats": {"get"},
    "/queues/{name}/dead": {"get", "delete"},
    "/queues/{name}/dead/retry": {"post"},
    "/workers": {"get"},
    "/workers/{worker_id}/drain": {"post"},
    "/workers/{worker_id}/resume": {"post"},
    "/jobs/{job_id}/events": {"get"},
    "/events": {"get"},
}


async def test_health_and_readiness(door: Door) -> None:
    health = await door.http.get("/health")
    assert (health.status_code, health.json()) == (200, {"status": "ok"})
    ready = await door.http.get("/ready")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "missing": []})


@pytest.mark.parametrize("path", ["/", "/api", f"{API}/job", f"{API}/jobs/", f"{API}/jobs/a/b/c"])
async def test_what_is_not_there(door: Door, path: str) -> None:
    assert problem(await door.http.get(path), 404).detail == f"there is nothing at {path}"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", f"{API}/jobs", "GET, POST"),
        ("PATCH", f"{API}/queues/default", "DELETE, GET, PUT"),
        ("GET", f"{API}/queues/default/pause", "POST"),
        ("POST", "/health", "GET"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(door: Door, method: str, path: str, allowed: str) -> None:
    response = await door.http.request(method, path)
    assert allowed in problem(response, 405).detail
    assert response.headers["allow"] == allowed


def references(node: Any) -> set[str]:
    """Every $ref below *node*."""
    if isinstance(node, dict):
        own = {node["$ref"]} if "$ref" in node else set()
        return own.union(*(references(value) for value in node.values()))
    if isinstance(node, list):
        return set().union(*(references(value) for value in node))
    return set()


async def test_the_description_is_whole(door: Door) -> None:
    described = (await door.http.get("/openapi.json")).json()
    assert {path: set(described["paths"][f"{API}{path}"]) for path in PATHS} == PATHS
    schemas = described["components"]["schemas"]
    assert references(described) <= {f"#/components/schemas/{name}" for name in schemas}
    assert "HTTPValidationError" not in schemas
    for operations in described["paths"].values():
        for operation in operations.values():
            assert "application/problem+json" in operation["responses"]["default"]["content"]
    body = described["paths"][f"{API}/jobs"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/JobRequest"}
    assert set(described["paths"][f"{API}/jobs"]["post"]["responses"]) >= {"200", "201", "202", "422", "429", "503"}


def undescribed(described: Any) -> Iterator[str]:
    """What has no description, of all that has one."""
    for name, schema in described["components"]["schemas"].items():
        fields = {f"{name}.{field}": each for field, each in schema["properties"].items()}
        yield from (place for place, each in {name: schema, **fields}.items() if not each.get("description"))
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            parts = {each["name"]: each for each in operation.get("parameters", ())} | operation["responses"]
            yield from (f"{method} {path} {part}" for part, each in parts.items() if not each.get("description"))
            if not operation["description"]:
                yield f"{method} {path}"


async def test_everything_is_described(door: Door) -> None:
    described = (await door.http.get("/openapi.json")).json()
    assert list(undescribed(described)) == []
    create = described["paths"][f"{API}/jobs"]["post"]
    assert create["security"] == [{"bearer": []}, {"apiKey": []}]
    assert {"401", "403", "429"} <= create["responses"].keys()
    assert "security" not in described["paths"]["/health"]["get"]


async def test_described_defaults_can_be_sent(door: Door) -> None:
    fields = (await door.http.get("/openapi.json")).json()["components"]["schemas"]["QueueRequest"]["properties"]
    defaults = {name: field["default"] for name, field in fields.items() if field.get("default") is not None}
    assert defaults["lease"] == "30s"
    assert QueueRequest(name="a", **defaults) == QueueRequest(name="a")


async def test_the_documentation_asks_nobody_else(door: Door) -> None:
    page = await door.http.get("/docs")
    assert page.status_code == 200
    assert "/openapi.json" in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "default-src 'none'; connect-src 'self'" in page.headers["content-security-policy"]
