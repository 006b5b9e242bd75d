"""The purge of a queue, done piece by piece."""

import asyncio
from collections.abc import Awaitable, Callable

from gotask import v1

PATIENCE_S = 20.0
"""No piece is begun after so long."""


async def purge_queue(give: Callable[[], Awaitable[v1.QueuePurged]]) -> v1.QueuePurged:
    """Gives the command until no job waits, or time is over; what was done."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE_S
    cancelled = 0
    while True:
        done = await give()
        cancelled += done.cancelled
        if done.complete or loop.time() > end:
            return v1.QueuePurged(cancelled=cancelled, complete=done.complete)
