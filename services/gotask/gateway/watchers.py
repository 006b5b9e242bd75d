"""How many watch at once."""

import contextlib
from collections.abc import Iterator

from gotask.bus.errors import Code, CommandError


class Watchers:
    """Counts open streams, each of which costs a connection and a little memory, up to *most*."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._now = 0

    @contextlib.contextmanager
    def one_more(self) -> Iterator[None]:
        """RESOURCE_EXHAUSTED when there is no room for one."""
        if self._now >= self._most:
            raise CommandError(Code.RESOURCE_EXHAUSTED, f"{self._now} watch through this gateway already")
        self._now += 1
        try:
            yield
        finally:
            self._now -= 1
