"""Waiting for what is away."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

_PAUSE_S = 0.1

Result = TypeVar("Result")


async def patiently(
    work: Callable[[], Awaitable[Result]], deadline_s: float, away: Callable[[Exception], bool]
) -> Result:
    """What *work* returns.

    It is tried again, ten times a second, while *away* holds of what it raises; after *deadline_s* seconds, and of
    anything else, that is raised.
    """
    end = time.monotonic() + deadline_s
    while True:
        try:
            return await work()
        except Exception as error:
            if not away(error) or time.monotonic() > end:
                raise
        await asyncio.sleep(_PAUSE_S)
