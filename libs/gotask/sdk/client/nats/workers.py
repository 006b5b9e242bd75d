"""The verbs about workers, said over NATS: orders go to the worker itself."""

from collections.abc import Callable, Mapping

from gotask import v1
from gotask.bus.subjects import Subjects
from gotask.bus.worker_orders import give_order, no_worker
from gotask.sdk.client.nats.handler import Handler
from gotask.sdk.client.nats.link import Link
from gotask.sdk.client.nats.listing import listing

_find = listing("list_workers", v1.FoundWorkers, v1.WorkerList, "workers", "id")


def _order(subject: Callable[[Subjects, str], str]) -> Handler:
    async def handle(link: Link, request: v1.WorkerName) -> v1.WorkerInfo:
        known = (await _find(link, request)).workers
        with link.told():
            if all(worker.id != request.id for worker in known):
                raise no_worker(request.id)
            return await give_order(link.bus, subject(link.bus.subjects, request.id), request.id, link.timeout_s)

    return handle


HANDLERS: Mapping[str, Handler] = {
    "ListWorkers": _find,
    "DrainWorker": _order(Subjects.drain),
    "ResumeWorker": _order(Subjects.resume),
}
