"""An event loop in a thread of its own, for callers that have none."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, TypeVar

T = TypeVar("T")


class Runner:
    """Starts its thread when it is first used."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        return self._loop is not None

    def run(self, begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What the coroutine returns or raises. Callable from any thread but the loop's own."""
        future = asyncio.run_coroutine_threadsafe(begin(), self._running_loop())
        try:
            return future.result()
        except BaseException:
            # KeyboardInterrupt, for one: nobody waits for the answer any more.
            future.cancel()
            raise

    def iterate(self, items: AsyncIterator[T]) -> Iterator[T]:
        """The items, as they come."""

        async def following() -> T | Runner:
            return await anext(items, self)

        try:
            while not isinstance(item := self.run(following), Runner):
                yield item
        finally:
            if (close := getattr(items, "aclose", None)) is not None:
                self.run(close)

    def stop(self) -> None:
        """Ends the thread; it is started again when it is needed."""
        with self._lock:
            loop, thread, self._loop = self._loop, self._thread, None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="gotask-client", daemon=True)
                self._thread.start()
            return self._loop
