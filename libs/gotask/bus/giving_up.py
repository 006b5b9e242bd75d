"""Giving up on work that does not always take a no."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

_AGAIN_S = 0.1

Result = TypeVar("Result")


async def within(deadline_s: float, work: Coroutine[Any, Any, Result]) -> Result:
    """What *work* returns or raises; TimeoutError when it is not done within *deadline_s* seconds.

    As ``asyncio.wait_for``, which waits for ever when the work swallows its cancellation: until Python 3.12, an inner
    ``wait_for`` does that at the moment at which it is done. Here it is cancelled until it ends.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task}, timeout=deadline_s)
    finally:
        while not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=_AGAIN_S)
    if task.cancelled():
        raise TimeoutError
    return task.result()
