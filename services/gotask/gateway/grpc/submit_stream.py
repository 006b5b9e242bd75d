"""Frames of jobs in, acknowledgements out, many under way."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

from gotask import v1
from gotask.service.tasks import stop_task

_MAX_UNANSWERED = 20_000


class SubmitStream:
    """One client's stream. Reads no further while too many of its jobs are unanswered, or their answers unread."""

    def __init__(
        self,
        begin: Callable[[v1.SubmitFrame], Awaitable[None]],
        answer: Callable[[v1.SubmitFrame], Awaitable[v1.SubmitFrameAck]],
    ) -> None:
        """
        :param begin: looks at each frame in turn, before it is answered; the next is read when it returns.
        """
        self._begin = begin
        self._answer = answer
        self._acks: asyncio.Queue[v1.SubmitFrameAck | Exception | None] = asyncio.Queue()
        self._unanswered = 0
        self._room = asyncio.Event()
        self._answering: set[asyncio.Task[None]] = set()

    async def run(self, frames: AsyncIterator[v1.SubmitFrame]) -> AsyncGenerator[v1.SubmitFrameAck, None]:
        """Yields acknowledgements as they come, until *frames* are over and all answered. Raises what *begin* did."""
        reading = asyncio.create_task(self._read(frames))
        try:
            while (ack := await self._acks.get()) is not None:
                if isinstance(ack, Exception):
                    raise ack
                yield ack
                self._unanswered -= len(ack.acks)
                self._room.set()
        finally:
            await stop_task(reading)
            for task in self._answering:
                task.cancel()

    async def _read(self, frames: AsyncIterator[v1.SubmitFrame]) -> None:
        end: Exception | None = None
        try:
            async for frame in frames:
                await self._begin(frame)
                self._unanswered += len(frame.jobs)
                task = asyncio.create_task(self._acknowledge(frame))
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)
                while self._unanswered > _MAX_UNANSWERED:
                    self._room.clear()
                    await self._room.wait()
        except Exception as error:
            end = error
        if self._answering:
            await asyncio.wait(self._answering)
        self._acks.put_nowait(end)

    async def _acknowledge(self, frame: v1.SubmitFrame) -> None:
        try:
            self._acks.put_nowait(await self._answer(frame))
        except Exception as error:
            self._acks.put_nowait(error)
