"""What the demo needs of REST."""

import asyncio
import urllib.request
from collections.abc import Sequence
from typing import Any

import orjson

Job = dict[str, Any]


class Rest:
    """Calls of a gateway."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def submit(self, job: Job) -> Job:
        return await self._call("POST", "/jobs", job)

    async def submit_many(self, jobs: Sequence[Job]) -> list[Job]:
        answer = await self._call("POST", "/jobs/batch", {"jobs": list(jobs)})
        return [item["job"] for item in answer["items"]]

    async def get(self, job_id: str) -> Job:
        return await self._call("GET", f"/jobs/{job_id}")

    async def stats(self, queue: str) -> dict[str, Any]:
        return await self._call("GET", f"/queues/{queue}/stats")

    async def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        data = None if body is None else orjson.dumps(body)
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310

        def call() -> bytes:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
                return bytes(response.read())

        answer: dict[str, Any] = orjson.loads(await asyncio.to_thread(call))
        return answer
