"""Commands about many dead letters, given piece by piece."""

import asyncio
from collections.abc import Awaitable, Callable

from gotask import v1

PATIENCE_S = 20.0
"""No piece is begun after so long."""

Give = Callable[[v1.DeadLetters], Awaitable[v1.DeadLettersChanged]]


async def change_dead(give: Give, wanted: v1.DeadLetters) -> v1.DeadJobsChanged:
    """Gives a command until all is done, or time is over; what was done."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE_S
    asked = v1.DeadLetters()
    asked.CopyFrom(wanted)
    count = 0
    while True:
        done = await give(asked)
        count += done.count
        if not done.next_cursor or loop.time() > end:
            return v1.DeadJobsChanged(count=count, complete=not done.next_cursor)
        asked.cursor = done.next_cursor
