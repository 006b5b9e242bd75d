"""What the metrics service shows, fetched over the bus."""

import gzip
from typing import NamedTuple

from gotask import v1
from gotask.bus.bus import Bus


class Page(NamedTuple):
    content_type: str
    body: bytes


class Metrics:
    """Asks the metrics service; UNAVAILABLE when none answers."""

    def __init__(self, bus: Bus, timeout_s: float) -> None:
        self._bus = bus
        self._timeout_s = timeout_s

    async def prometheus(self) -> Page:
        """In Prometheus's text format."""
        return await self._page("prometheus_metrics")

    async def figures(self) -> Page:
        """As JSON."""
        return await self._page("json_metrics")

    async def _page(self, verb: str) -> Page:
        page = await self._bus.command(verb, v1.GetPage(), v1.Page, self._timeout_s)
        return Page(page.content_type, gzip.decompress(page.gzipped))
