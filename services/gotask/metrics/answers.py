"""The pages over the bus, for gateways."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from gotask import v1
from gotask.bus.bus import Bus
from gotask.service.http import Page
from gotask.service.tasks import stop_task

if TYPE_CHECKING:
    from nats.aio.subscription import Subscription

_GROUP = "metrics"


class Answers:
    """Answers the command of each page with the page, compressed: a large fleet's would not fit into a message.

    Once *until* is set it leaves the answers to whoever counts now.
    """

    def __init__(self, bus: Bus, pages: Mapping[str, Page], until: asyncio.Event) -> None:
        self._bus = bus
        self._pages = pages
        self._until = until
        self._subscriptions: list[Subscription] = []
        self._leaving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        for verb, page in self._pages.items():
            subject = self._bus.subjects.command(verb)
            self._subscriptions.append(await self._bus.serve(subject, _GROUP, _answer_with(page)))
        self._leaving = asyncio.create_task(self._leave())

    async def stop(self) -> None:
        await stop_task(self._leaving)

    async def _leave(self) -> None:
        await self._until.wait()
        for subscription in self._subscriptions:
            await subscription.unsubscribe()


def _answer_with(page: Page) -> Callable[[bytes], Awaitable[v1.Page]]:
    async def answer(_request: bytes) -> v1.Page:
        content_type, body = page()
        return v1.Page(content_type=content_type, gzipped=gzip.compress(body, 1))

    return answer
