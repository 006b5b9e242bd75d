"""/queues/{name}/dead: the dead letters of a queue."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from gotask.gateway.dead_letters import DeadLetters
from gotask.gateway.rest.gate import AdmittedCaller
from gotask.gateway.rest.job_document import job_document
from gotask.gateway.rest.messages import parse, read_body, respond
from gotask.gateway.rest.openapi import answers, body_of
from gotask.gateway.rest.params import DeadFilter, DeadListParams, DeadRetry
from gotask.gateway.rest.schemas import DeadPurged, DeadRetried, JobList
from gotask.gateway.settings import GatewaySettings


class DeadEndpoints:
    """Looks at dead letters and sees to them."""

    def __init__(self, settings: GatewaySettings, dead: DeadLetters) -> None:
        self._max_body_bytes = settings.max_body_bytes
        self._dead = dead

    def register(self, router: APIRouter, prefix: str) -> None:
        dead = f"{prefix}/queues/{{name}}/dead"
        shared: dict[str, Any] = {"tags": ["queues"]}
        router.add_api_route(
            dead, self.list_dead, methods=["GET"], responses=answers({200: JobList}, 404, 422, 503), **shared
        )
        router.add_api_route(
            dead, self.purge, methods=["DELETE"], responses=answers({200: DeadPurged}, 404, 422, 503), **shared
        )
        router.add_api_route(
            f"{dead}/retry",
            self.retry,
            methods=["POST"],
            responses=answers({200: DeadRetried}, 400, 404, 413, 422, 503),
            openapi_extra=body_of("DeadRetry", required=False),
            **shared,
        )

    async def list_dead(
        self, caller: AdmittedCaller, name: str, params: Annotated[DeadListParams, Query()]
    ) -> Response:
        """The dead letters of a queue, newest job first.

        With ``error_type``, a page may hold fewer than ``limit``, or none, and not be the last: go on until
        ``next_cursor`` is null.
        """
        page = await self._dead.list_dead(caller, params.wanted(name), params.cursor, params.limit)
        return respond({"items": [job_document(job) for job in page.jobs], "next_cursor": page.next_cursor or None})

    async def retry(self, caller: AdmittedCaller, name: str, request: Request) -> Response:
        """Dead letters become pending again, with all their attempts before them; their history is kept.

        All of the queue, if there is no body; else those that meet every criterion in it. Many take a while: when
        ``complete`` is false, repeat the request to go on.
        """
        body = await read_body(request, self._max_body_bytes)
        wanted = parse(DeadRetry, body) if body.strip() else DeadRetry()
        changed = await self._dead.retry(caller, wanted.wanted(name))
        return respond({"retried": changed.count, "complete": changed.complete})

    async def purge(self, caller: AdmittedCaller, name: str, params: Annotated[DeadFilter, Query()]) -> Response:
        """Forgets the dead letters of a queue that match, or all. When ``complete`` is false, repeat to go on."""
        changed = await self._dead.purge(caller, params.wanted(name))
        return respond({"purged": changed.count, "complete": changed.complete})
