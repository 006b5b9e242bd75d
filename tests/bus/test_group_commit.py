"""Group commit: what gathers, what leaves, who gets which result."""

import asyncio

import pytest

from gotask.bus.group_commit import GroupCommit
from gotask.bus.measures import BatchSizes


class Store:
    """Records its flushes; each waits until it is let go."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()

    async def flush(self, items: list[int]) -> list[int | Exception]:
        self.batches.append(items)
        await self.gate.wait()
        if 13 in items:
            raise OSError("unlucky")
        return [KeyError(item) if item < 0 else item * 10 for item in items]


async def started(store: Store, batches: int) -> None:
    while len(store.batches) < batches:  # noqa: ASYNC110 - turns of the loop, no waiting
        await asyncio.sleep(0)


async def test_the_first_leaves_alone_and_the_rest_gather_behind_it() -> None:
    store = Store()
    commit = GroupCommit(store.flush)
    first = commit.submit(1)
    await started(store, 1)
    others = [commit.submit(item) for item in (2, 3, 4)]
    assert (store.batches, commit.waiting) == ([[1]], 3)
    store.gate.set()
    assert await asyncio.gather(first, *others) == [10, 20, 30, 40]
    assert store.batches == [[1], [2, 3, 4]]


async def test_each_submitter_gets_its_own_error() -> None:
    store = Store()
    store.gate.set()
    commit = GroupCommit(store.flush)
    results = await asyncio.gather(*map(commit.submit, (1, -2, 3)), return_exceptions=True)
    assert [results[0], results[2]] == [10, 30]
    assert isinstance(results[1], KeyError)


async def test_a_failed_flush_fails_its_batch_and_no_other() -> None:
    store = Store()
    store.gate.set()
    commit = GroupCommit(store.flush, max_items=2)
    results = await asyncio.gather(*map(commit.submit, (13, 1, 2, 3)), return_exceptions=True)
    assert [isinstance(result, OSError) for result in results] == [True, True, False, False]
    assert results[2:] == [20, 30]


async def test_batches_are_bounded_by_count_and_bytes() -> None:
    store = Store()
    store.gate.set()
    commit = GroupCommit(store.flush, max_items=3, max_bytes=10, size_of=lambda item: item)
    await asyncio.gather(*map(commit.submit, (1, 1, 1, 1, 9, 5, 99, 5)))
    assert store.batches == [[1, 1, 1], [1, 9], [5], [99], [5]]


async def test_a_cancelled_submitter_disturbs_nobody() -> None:
    store = Store()
    commit = GroupCommit(store.flush)
    flushed = commit.submit(1)
    await started(store, 1)
    waiting, other = commit.submit(2), commit.submit(3)
    flushed.cancel()
    waiting.cancel()
    store.gate.set()
    assert await other == 30
    assert store.batches == [[1], [3]]


async def test_flushes_may_overlap_when_asked_to() -> None:
    store = Store()
    commit = GroupCommit(store.flush, max_items=1, concurrency=2)
    futures = [commit.submit(item) for item in (1, 2, 3)]
    await started(store, 2)
    assert store.batches == [[1], [2]]
    store.gate.set()
    assert await asyncio.gather(*futures) == [10, 20, 30]


async def test_drain_waits_for_everything() -> None:
    store = Store()
    commit = GroupCommit(store.flush, max_items=1)
    futures = [commit.submit(item) for item in (1, 2)]
    store.gate.set()
    await commit.drain()
    assert all(future.done() for future in futures)


async def test_a_flush_that_miscounts_is_an_error() -> None:
    async def flush(_: list[int]) -> list[int]:
        return []

    with pytest.raises(RuntimeError, match="1 items returned 0 results"):
        await GroupCommit(flush).submit(1)


async def test_a_submitter_may_come_back_at_once() -> None:
    store = Store()
    store.gate.set()
    commit = GroupCommit(store.flush)
    for item in (1, 2, 3):
        assert await asyncio.wait_for(commit.submit(item), 10) == item * 10


@pytest.mark.parametrize("concurrency", [1, 2])
async def test_an_item_that_follows_on_a_result_is_not_left_behind(concurrency: int) -> None:
    store = Store()
    store.gate.set()
    commit = GroupCommit(store.flush, concurrency=concurrency)

    async def one_after_the_other() -> list[int]:
        return [await commit.submit(item) for item in range(5)]

    async with asyncio.timeout(5):
        results = await asyncio.gather(*(one_after_the_other() for _ in range(concurrency)))
    assert results == [[0, 10, 20, 30, 40]] * concurrency


async def test_the_sizes_of_batches_are_told() -> None:
    store, sizes = Store(), BatchSizes()
    store.gate.set()
    commit = GroupCommit(store.flush, max_items=7, sizes=sizes)
    await asyncio.gather(*map(commit.submit, range(1, 9)))
    assert (sizes.items, sum(sizes.counts)) == (8, 2)
    assert (sizes.counts[0], sizes.counts[3]) == (1, 1)
