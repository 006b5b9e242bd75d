"""The verbs about queues, said over NATS."""

import time
from collections.abc import Mapping

from google.protobuf.empty_pb2 import Empty

from gotask import v1
from gotask.bus.purging import purge_queue
from gotask.sdk.client.nats.handler import Handler, command
from gotask.sdk.client.nats.link import Link
from gotask.sdk.client.nats.listing import listing
from gotask.sdk.client.queues import queue_of
from gotask.sdk.errors import NotFound


def _put_queue(verb: str) -> Handler:
    async def handle(link: Link, request: v1.QueueSettings) -> v1.Queue:
        return await link.command(verb, queue_of(request, time.time_ns() // 1000), v1.Queue)

    return handle


async def _delete_queue(link: Link, request: v1.QueueName) -> Empty:
    await link.command("delete_queue", request, v1.QueueName)
    return Empty()


async def _get_queue(link: Link, request: v1.QueueName) -> v1.Queue:
    reply = await link.command("list_queues", v1.ListNames(names=[request.name]), v1.FoundQueues)
    for queue in reply.queues:
        return queue
    raise _no_queue(request.name)


async def _get_queue_stats(link: Link, request: v1.QueueName) -> v1.QueueStats:
    stats = await link.stats.submit(request.name)
    if stats is None:
        raise _no_queue(request.name)
    return stats


async def _purge_queue(link: Link, request: v1.QueueName) -> v1.QueuePurged:
    return await purge_queue(lambda: link.command("purge_queue", request, v1.QueuePurged))


def _no_queue(name: str) -> NotFound:
    return NotFound(f"there is no queue {name!r}", "name")


HANDLERS: Mapping[str, Handler] = {
    "CreateQueue": _put_queue("create_queue"),
    "UpdateQueue": _put_queue("update_queue"),
    "ListQueues": listing("list_queues", v1.FoundQueues, v1.QueueList, "queues", "name"),
    "GetQueue": _get_queue,
    "DeleteQueue": _delete_queue,
    "PauseQueue": command("pause_queue", v1.Queue),
    "ResumeQueue": command("resume_queue", v1.Queue),
    "PurgeQueue": _purge_queue,
    "GetQueueStats": _get_queue_stats,
}
