"""Lists that may be longer than a message."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from google.protobuf.message import Message

from gotask import v1
from gotask.sdk.client.nats.link import Link

Whole = TypeVar("Whole", bound=Message)


def listing(
    verb: str, found: type[Message], whole: type[Whole], items: str, key: str
) -> Callable[[Link, Any], Awaitable[Whole]]:
    """Gathers all that the command *verb* finds, asking until there is no more.

    *found* is the command's answer, *whole* the verb's; both have the repeated field *items*, whose order is that of
    their field *key*.
    """

    async def handle(link: Link, _: Message) -> Whole:
        gathered = whole()
        so_far = getattr(gathered, items)
        more = True
        while more:
            after = getattr(so_far[-1], key) if so_far else ""
            reply: Any = await link.command(verb, v1.ListNames(after=after), found)
            new = getattr(reply, items)
            so_far.extend(new)
            more = reply.more and bool(new)
        return gathered

    return handle
