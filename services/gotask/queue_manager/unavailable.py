"""A storage that is away, told to whoever asked."""

from collections.abc import Iterator
from contextlib import contextmanager

from gotask.bus.errors import Code, CommandError
from gotask.storage.contract import StorageUnavailable


@contextmanager
def unavailable_as_status() -> Iterator[None]:
    """Turns StorageUnavailable into a CommandError with the code UNAVAILABLE."""
    try:
        yield
    except StorageUnavailable as error:
        raise CommandError(Code.UNAVAILABLE, f"the storage does not answer: {error}") from error
