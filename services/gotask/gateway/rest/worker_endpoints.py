"""/workers."""

from fastapi import APIRouter
from starlette.responses import Response

from gotask.gateway.rest.gate import AdmittedCaller
from gotask.gateway.rest.messages import respond
from gotask.gateway.rest.openapi import answers
from gotask.gateway.rest.schemas import Worker, WorkerList
from gotask.gateway.rest.worker_document import worker_document
from gotask.gateway.workers import Workers


class WorkerEndpoints:
    """Shows who runs jobs, and takes them out of service."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def register(self, router: APIRouter, prefix: str) -> None:
        router.add_api_route(
            f"{prefix}/workers",
            self.list_workers,
            methods=["GET"],
            tags=["workers"],
            responses=answers({200: WorkerList}, 503),
        )

        for verb, endpoint in {"drain": self.drain_worker, "resume": self.resume_worker}.items():
            router.add_api_route(
                f"{prefix}/workers/{{worker_id}}/{verb}",
                endpoint,
                methods=["POST"],
                tags=["workers"],
                responses=answers({200: Worker}, 404, 409, 503),
            )

    async def drain_worker(self, caller: AdmittedCaller, worker_id: str) -> Response:
        """The worker claims nothing more, and finishes what it has; it goes on living."""
        return respond(worker_document(await self._workers.drain(caller, worker_id)))

    async def resume_worker(self, caller: AdmittedCaller, worker_id: str) -> Response:
        """A worker that drains claims again."""
        return respond(worker_document(await self._workers.resume(caller, worker_id)))

    async def list_workers(self, caller: AdmittedCaller) -> Response:
        """The workers that were heard of lately."""
        workers = await self._workers.list_workers(caller)
        return respond({"items": [worker_document(worker) for worker in workers], "next_cursor": None})
