"""The verbs about dead letters, said over NATS."""

from collections.abc import Mapping

from gotask import v1
from gotask.bus.dead_letters import change_dead
from gotask.sdk.client.nats.handler import Handler, command
from gotask.sdk.client.nats.link import Link


def _change(verb: str) -> Handler:
    async def handle(link: Link, request: v1.DeadLetters) -> v1.DeadJobsChanged:
        return await change_dead(lambda piece: link.command(verb, piece, v1.DeadLettersChanged), request)

    return handle


HANDLERS: Mapping[str, Handler] = {
    "ListDeadJobs": command("list_dead", v1.ListJobsResponse),
    "RetryDeadJobs": _change("retry_dead"),
    "PurgeDeadJobs": _change("purge_dead"),
}
