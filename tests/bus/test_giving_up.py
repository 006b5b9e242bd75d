"""Nobody waits for ever for what does not take a no."""

import asyncio

import pytest

from gotask.bus.giving_up import within


async def test_work_that_swallows_a_cancellation_is_given_up_nevertheless() -> None:
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                swallowed += 1
                if swallowed == 2:
                    raise

    async with asyncio.timeout(20):
        with pytest.raises(TimeoutError):
            await within(0.01, stubborn())
    assert swallowed == 2


async def test_what_is_done_in_time_is_returned_or_raised() -> None:
    async def done() -> int:
        return 7

    async def failed() -> int:
        raise ValueError("wrong")

    assert await within(20, done()) == 7
    with pytest.raises(ValueError, match="wrong"):
        await within(20, failed())


async def test_who_is_cancelled_leaves_nothing_behind() -> None:
    begun = asyncio.Event()
    ended = asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    waiting = asyncio.create_task(within(60, work()))
    await asyncio.wait_for(begun.wait(), 20)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended.is_set()
