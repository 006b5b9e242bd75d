"""How a verb is said in the bus's own words."""

from collections.abc import Awaitable, Callable
from typing import Any

from google.protobuf.message import Message

from gotask.sdk.client.nats.link import Link

Handler = Callable[[Link, Any], Awaitable[Message]]


def command(verb: str, reply_type: type[Message]) -> Handler:
    """A command whose messages are those of the verb."""

    async def handle(link: Link, request: Message) -> Message:
        return await link.command(verb, request, reply_type)

    return handle
