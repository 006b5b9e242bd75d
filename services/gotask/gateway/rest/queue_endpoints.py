"""/queues."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from gotask.gateway.queues import Queues
from gotask.gateway.rest.gate import AdmittedCaller
from gotask.gateway.rest.messages import parse, read_body, respond
from gotask.gateway.rest.openapi import answers, body_of
from gotask.gateway.rest.queue_document import queue_document, stats_document
from gotask.gateway.rest.schemas import Queue, QueueList, QueuePurged, QueueStats
from gotask.gateway.settings import GatewaySettings
from gotask.jobs.request import QueueFields, QueueRequest
from gotask.service.clock import Clock


class QueueEndpoints:
    """Looks at queues and commands them."""

    def __init__(self, settings: GatewaySettings, clock: Clock, queues: Queues) -> None:
        self._max_body_bytes = settings.max_body_bytes
        self._clock = clock
        self._queues = queues

    def register(self, router: APIRouter, prefix: str) -> None:
        queues, one = f"{prefix}/queues", f"{prefix}/queues/{{name}}"
        router.add_api_route(
            queues,
            self.create_queue,
            methods=["POST"],
            tags=["queues"],
            status_code=201,
            responses=answers({201: Queue}, 400, 409, 413, 422, 503),
            openapi_extra=body_of("QueueRequest"),
        )
        router.add_api_route(
            queues, self.list_queues, methods=["GET"], tags=["queues"], responses=answers({200: QueueList}, 503)
        )
        router.add_api_route(
            one, self.get_queue, methods=["GET"], tags=["queues"], responses=answers({200: Queue}, 404, 503)
        )
        router.add_api_route(
            one,
            self.replace_queue,
            methods=["PUT"],
            tags=["queues"],
            responses=answers({200: Queue}, 400, 404, 413, 422, 503),
            openapi_extra=body_of("QueueFields"),
        )
        router.add_api_route(
            one,
            self.delete_queue,
            methods=["DELETE"],
            tags=["queues"],
            status_code=204,
            responses=answers({204: None}, 404, 409, 503),
        )
        for verb, endpoint in {"pause": self.pause_queue, "resume": self.resume_queue}.items():
            router.add_api_route(
                f"{one}/{verb}",
                endpoint,
                methods=["POST"],
                tags=["queues"],
                responses=answers({200: Queue}, 404, 503),
            )
        router.add_api_route(
            f"{one}/purge",
            self.purge_queue,
            methods=["POST"],
            tags=["queues"],
            responses=answers({200: QueuePurged}, 404, 503),
        )
        router.add_api_route(
            f"{one}/stats",
            self.get_stats,
            methods=["GET"],
            tags=["queues"],
            responses=answers({200: QueueStats}, 404, 503),
        )

    async def create_queue(self, caller: AdmittedCaller, request: Request) -> Response:
        """Creates a queue; what is not given takes its default."""
        wanted = parse(QueueRequest, await read_body(request, self._max_body_bytes))
        queue = await self._queues.create(caller, wanted.to_queue(wanted.name, self._clock.now_us()))
        return respond(queue_document(queue), 201, {"Location": f"{request.url.path}/{queue.name}"})

    async def replace_queue(self, caller: AdmittedCaller, name: str, request: Request) -> Response:
        """Replaces all settings of a queue: what is not given takes its default again. Whether it is paused stays."""
        wanted = parse(QueueFields, await read_body(request, self._max_body_bytes))
        return respond(queue_document(await self._queues.replace(caller, wanted.to_queue(name, self._clock.now_us()))))

    async def list_queues(self, caller: AdmittedCaller) -> Response:
        """All queues, by name."""
        return respond(
            {"items": [queue_document(queue) for queue in await self._queues.list_queues(caller)], "next_cursor": None}
        )

    async def get_queue(self, caller: AdmittedCaller, name: str) -> Response:
        """A queue's settings."""
        return respond(queue_document(await self._queues.get(caller, name)))

    async def delete_queue(self, caller: AdmittedCaller, name: str) -> Response:
        """Deletes a queue in which no job waits or runs, and its finished jobs with it."""
        await self._queues.delete(caller, name)
        return Response(status_code=204)

    async def pause_queue(self, caller: AdmittedCaller, name: str) -> Response:
        """No job of the queue is started from now on; running jobs go on."""
        return respond(queue_document(await self._queues.pause(caller, name)))

    async def resume_queue(self, caller: AdmittedCaller, name: str) -> Response:
        """Ends a pause."""
        return respond(queue_document(await self._queues.resume(caller, name)))

    async def purge_queue(self, caller: AdmittedCaller, name: str) -> Response:
        """Cancels the jobs that wait in a queue, whether pending, scheduled or retrying; running ones go on.

        Many take a while: when ``complete`` is false, repeat the request to go on.
        """
        purged = await self._queues.purge(caller, name)
        return respond({"cancelled": purged.cancelled, "complete": purged.complete})

    async def get_stats(self, caller: AdmittedCaller, name: str) -> Response:
        """A queue's figures."""
        return respond(stats_document(await self._queues.stats(caller, name)))
