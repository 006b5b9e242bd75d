"""Reads server-sent events as a browser does."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, NamedTuple

import httpx
import orjson


class Told(NamedTuple):
    name: str
    document: Any
    id: str


@contextlib.asynccontextmanager
async def listening(http: httpx.AsyncClient, path: str, **options: Any) -> AsyncIterator[AsyncGenerator[Told, None]]:
    """The events of *path*, once the server has begun to tell them."""
    async with http.stream("GET", path, **options) as response:
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.aiter_lines()
        events = _events(lines)
        # The first block says when to come back, and has no data.
        assert (await anext(events)).name == ""
        yield events


async def _events(lines: AsyncIterator[str]) -> AsyncGenerator[Told, None]:
    fields: dict[str, str] = {}
    last_id = ""
    async for line in lines:
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
            continue
        if fields:
            last_id = fields.get("id", last_id)
            yield Told(fields.get("event", ""), orjson.loads(fields.get("data", "null")), last_id)
        fields = {}
