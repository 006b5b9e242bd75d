"""Group commit: many submitters, one flush, each gets its own result back."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import Generic, TypeVar

from gotask.bus.measures import BatchSizes

Item = TypeVar("Item")
Result = TypeVar("Result")


class GroupCommit(Generic[Item, Result]):
    """Gathers items while a flush is under way, and flushes them together when it ends.

        inserts = GroupCommit(storage.insert_jobs_now, max_items=500)
        result = await inserts.submit(job)

    A batch is never waited for: an item that comes while nothing is flushed leaves at once, alone. *flush* gets a list
    of items and returns one result per item, in order; a result that is an exception is raised to its submitter only.
    A flush that fails fails the items of its batch and no others. A submitter that is cancelled disturbs nobody: its
    item is left out if its flush has not begun, and its result is dropped otherwise.
    """

    def __init__(
        self,
        flush: Callable[[list[Item]], Awaitable[Sequence[Result | Exception]]],
        *,
        max_items: int = 1_000,
        max_bytes: int | None = None,
        size_of: Callable[[Item], int] = lambda _: 0,
        concurrency: int = 1,
        sizes: BatchSizes | None = None,
    ) -> None:
        """
        :param max_items: the most items in one flush.
        :param max_bytes: the most bytes in one flush, as *size_of* counts them; a larger item goes alone.
        :param concurrency: flushes that may be under way at once. More than one gives up the order of items.
        :param sizes: is told how many items each flush has.
        """
        self._flush = flush
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._size_of = size_of
        self._concurrency = concurrency
        self._sizes = sizes or BatchSizes()
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._flushers: set[asyncio.Task[None]] = set()
        # Kept, because asking for the running loop is a system call in Python 3.11.
        self._loop: asyncio.AbstractEventLoop | None = None

    def submit(self, item: Item) -> asyncio.Future[Result]:
        """Puts *item* into the next batch; await the future for its result."""
        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((item, future))
        if len(self._flushers) < self._concurrency:
            flusher = loop.create_task(self._flush_all())
            self._flushers.add(flusher)
            flusher.add_done_callback(self._flushers.discard)
        return future

    @property
    def waiting(self) -> int:
        """Items whose flush has not begun."""
        return len(self._waiting)

    async def drain(self) -> None:
        """Returns when everything that was submitted has been flushed, or has failed."""
        while self._flushers:
            await asyncio.wait(self._flushers)

    async def _flush_all(self) -> None:
        try:
            while batch := self._cut():
                await self._flush_batch(batch)
        finally:
            # Here, not in a callback: that runs later, and an item submitted until then would start no flusher.
            self._flushers.discard(asyncio.current_task())

    async def _flush_batch(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        self._sizes.observe(len(batch))
        futures = [future for _, future in batch]
        try:
            results = _complete(await self._flush([item for item, _ in batch]), len(batch))
        except Exception as error:
            _fail(futures, error)
        except BaseException:
            for future in futures:
                future.cancel()
            raise
        else:
            _resolve(futures, results)

    def _cut(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        end = len(self._waiting)
        if end > self._max_items:
            end = self._max_items
        if self._max_bytes is not None:
            end = self._within_bytes(end, self._max_bytes)
        batch, self._waiting = self._waiting[:end], self._waiting[end:]
        live = [entry for entry in batch if not entry[1].cancelled()]
        return live if live or not self._waiting else self._cut()

    def _within_bytes(self, end: int, max_bytes: int) -> int:
        total = 0
        for index, (item, _) in enumerate(islice(self._waiting, end)):
            total += self._size_of(item)
            if total > max_bytes:
                return max(index, 1)
        return end


def _complete(results: Sequence[Result | Exception], items: int) -> Sequence[Result | Exception]:
    if len(results) != items:
        raise RuntimeError(f"flush of {items} items returned {len(results)} results")
    return results


def _fail(futures: list[asyncio.Future[Result]], error: Exception) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)


def _resolve(futures: list[asyncio.Future[Result]], results: Sequence[Result | Exception]) -> None:
    for future, result in zip(futures, results, strict=True):
        if future.done():
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
