"""Ending background tasks."""

import asyncio
from typing import Any

_ASK_AGAIN_S = 0.5


async def stop_task(task: "asyncio.Task[Any] | None") -> None:
    """Cancels *task* and returns when it is over; whatever it ends with is dropped.

    Asks again while it lives: ``asyncio.wait_for`` of Python 3.11 forgets a cancellation that comes in the moment its
    result does, and a loop that called it would go on for ever.
    """
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_ASK_AGAIN_S)
