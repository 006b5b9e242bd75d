"""The page of the REST API, from the OpenAPI document that gateways serve."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any
from unittest.mock import MagicMock

import httpx

from gotask.gateway.rest.app import build_app
from gotask.gateway.settings import GatewaySettings
from gotask.service.clock import SystemClock
from tools.reference.markdown import code, page, table

_INTRODUCTION = """
Everything is under `/api/v1`, but for the calls of the system. Bodies and answers are JSON. A gateway serves the same
description as an OpenAPI document at `/openapi.json`, and for people at `/docs`; the page on [using REST](../rest.md)
shows calls, errors, lists and streams at work.
"""
_TITLES = {"system": "System", "jobs": "Jobs", "queues": "Queues", "schedules": "Schedules", "workers": "Workers"}
_DURATION = {"string", "number"}

Node = Mapping[str, Any]


def rest_page() -> str:
    """All calls, by what they are about, and all documents."""
    document = openapi_document()
    parts = [_INTRODUCTION]
    tag = ""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if operation["tags"][0] != tag:
                tag = operation["tags"][0]
                parts.append(f"## {_TITLES.get(tag, tag.capitalize())}")
            parts += _call(f"{method.upper()} {path}", operation)
    parts.append("## Documents")
    for name, schema in sorted(document["components"]["schemas"].items()):
        parts += [f"### {name}", _text(schema.get("description", "")), _members(schema)]
    return page("REST reference", *parts)


def openapi_document() -> dict[str, Any]:
    """As a gateway with its default settings serves it. What stands behind the calls is not needed for it."""
    app = build_app(GatewaySettings.model_construct(), SystemClock(), MagicMock(), MagicMock())

    async def ask() -> dict[str, Any]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            answer: dict[str, Any] = (await client.get("/openapi.json")).raise_for_status().json()
            return answer

    return asyncio.run(ask())


def _call(name: str, operation: Node) -> Iterator[str]:
    yield f"### {name}"
    yield _text(operation["description"])
    if parameters := operation.get("parameters"):
        rows = ((code(each["name"]), each["in"], _kind(each["schema"]), _explained(each)) for each in parameters)
        yield table(("parameter", "in", "type", ""), rows)
    if body := operation.get("requestBody"):
        needed = "Body" if body["required"] else "Body, if any"
        yield f"{needed}: {_kind(body['content']['application/json']['schema'])}."
    answers = sorted(operation["responses"].items())
    yield f"Answers: {', '.join(_answer(status, each) for status, each in answers)}."


def _answer(status: str, answer: Node) -> str:
    kinds = [_kind(content["schema"]) for content in answer.get("content", {}).values() if "schema" in content]
    return f"**{status}** {', '.join(filter(None, kinds)) or answer['description']}"


def _members(schema: Node) -> str:
    required = schema.get("required", ())
    rows = (
        (code(name), _kind(member) + (" (required)" if name in required else ""), _explained(member))
        for name, member in schema.get("properties", {}).items()
    )
    return table(("member", "type", ""), rows)


def _explained(member: Node) -> str:
    told = _text(member.get("description", ""))
    default = member.get("default", member.get("schema", {}).get("default"))
    return f"{told} Default: {code(str(default))}." if default not in (None, "", [], {}) else told


def _kind(schema: Node) -> str:
    """The type in a word or two; documents link to their members."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if choices := schema.get("anyOf"):
        if {each.get("type") for each in choices} >= _DURATION:
            return "duration"
        return " or ".join(dict.fromkeys(filter(None, map(_kind, choices))))
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {})) or 'anything'}"
    return schema.get("format") or schema.get("type") or ""


def _text(text: str) -> str:
    return text.replace("``", "`")
