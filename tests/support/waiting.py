"""Waiting for a condition instead of sleeping."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any


def wait_until_blocking(condition: Callable[[], Any], what: str, deadline_s: float = 60) -> Any:
    """Returns the first true value of *condition*; AssertionError names *what* did not happen in time."""
    end = time.monotonic() + deadline_s
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s} s: {what}")
        time.sleep(0.01)
    return value


async def wait_until(condition: Callable[[], Any | Awaitable[Any]], what: str, deadline_s: float = 60) -> Any:
    """As :func:`wait_until_blocking`, for a condition that may be a coroutine function."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s} s: {what}")
        await asyncio.sleep(0.01)
