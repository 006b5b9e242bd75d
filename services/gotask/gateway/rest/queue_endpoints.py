"""/queues and /workers."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from gotask.gateway.queues import Queues
from gotask.gateway.rest.messages import parse, read_body, respond
from gotask.gateway.rest.openapi import answers, body_of
from gotask.gateway.rest.queue_document import queue_document, stats_document
from gotask.gateway.rest.schemas import Queue, QueueList, QueueStats, WorkerList
from gotask.gateway.rest.worker_document import worker_document
from gotask.gateway.settings import GatewaySettings
from gotask.jobs.request import QueueFields, QueueRequest
from gotask.service.clock import Clock


class QueueEndpoints:
    """Looks at queues and commands them; shows the workers that serve them."""

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
            f"{one}/stats",
            self.get_stats,
            methods=["GET"],
            tags=["queues"],
            responses=answers({200: QueueStats}, 404, 503),
        )
        router.add_api_route(
            f"{prefix}/workers",
            self.list_workers,
            methods=["GET"],
            tags=["workers"],
            responses=answers({200: WorkerList}, 503),
        )

    async def create_queue(self, request: Request) -> Response:
        """Creates a queue; what is not given takes its default."""
        wanted = parse(QueueRequest, await read_body(request, self._max_body_bytes))
        queue = await self._queues.create(wanted.to_queue(wanted.name, self._clock.now_us()))
        return respond(queue_document(queue), 201, {"Location": f"{request.url.path}/{queue.name}"})

    async def replace_queue(self, name: str, request: Request) -> Response:
        """Replaces all settings of a queue: what is not given takes its default again. Whether it is paused stays."""
        wanted = parse(QueueFields, await read_body(request, self._max_body_bytes))
        return respond(queue_document(await self._queues.replace(wanted.to_queue(name, self._clock.now_us()))))

    async def list_queues(self) -> Response:
        """All queues, by name."""
        return respond(
            {"items": [queue_document(queue) for queue in await self._queues.list_queues()], "next_cursor": None}
        )

    async def get_queue(self, name: str) -> Response:
        """A queue's settings."""
        return respond(queue_document(await self._queues.get(name)))

    async def delete_queue(self, name: str) -> Response:
        """Deletes a queue in which no job waits or runs, and its finished jobs with it."""
        await self._queues.delete(name)
        return Response(status_code=204)

    async def pause_queue(self, name: str) -> Response:
        """No job of the queue is started from now on; running jobs go on."""
        return respond(queue_document(await self._queues.pause(name)))

    async def resume_queue(self, name: str) -> Response:
        """Ends a pause."""
        return respond(queue_document(await self._queues.resume(name)))

    async def get_stats(self, name: str) -> Response:
        """A queue's figures."""
        return respond(stats_document(await self._queues.stats(name)))

    async def list_workers(self) -> Response:
        """The workers that were heard of lately."""
        workers = await self._queues.list_workers()
        return respond({"items": [worker_document(worker) for worker in workers], "next_cursor": None})
