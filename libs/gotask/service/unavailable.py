"""A storage that is away, told to whoever asked."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from gotask.bus.errors import Code, CommandError
from gotask.storage.contract import StorageUnavailable

Request = TypeVar("Request")
Answer = TypeVar("Answer")


@contextmanager
def unavailable_as_status() -> Iterator[None]:
    """Turns StorageUnavailable into a CommandError with the code UNAVAILABLE."""
    try:
        yield
    except StorageUnavailable as error:
        raise CommandError(Code.UNAVAILABLE, f"the storage does not answer: {error}") from error


def answering_unavailable(handle: Callable[[Request], Awaitable[Answer]]) -> Callable[[Request], Awaitable[Answer]]:
    """*handle* within :func:`unavailable_as_status`."""

    async def guarded(request: Request) -> Answer:
        with unavailable_as_status():
            return await handle(request)

    return guarded
