"""Orders to a worker: to drain, and to resume."""

from gotask import v1
from gotask.bus.bus import Bus
from gotask.bus.errors import Code, CommandError


async def give_order(bus: Bus, subject: str, worker_id: str, timeout_s: float) -> v1.WorkerInfo:
    """What the worker tells of itself once it has heard the order on *subject*.

    CommandError: it refuses, or its code is UNAVAILABLE, as nobody answered for *timeout_s* seconds.
    """
    try:
        return await bus.request(subject, v1.WorkerName(id=worker_id), v1.WorkerInfo, timeout_s)
    except CommandError as error:
        if error.code != Code.UNAVAILABLE:
            raise
        message = f"worker {worker_id!r} does not answer; it may have ended, or have lost its connection"
        raise CommandError(Code.UNAVAILABLE, message, "id") from error


def no_worker(worker_id: str) -> CommandError:
    return CommandError(Code.NOT_FOUND, f"no worker {worker_id!r} was heard of lately", "id")
