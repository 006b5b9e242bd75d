"""How parts of the synchronous client reach the asynchronous one."""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Protocol, TypeVar

from gotask.sdk.client.client import Client

T = TypeVar("T")


class Run(Protocol):
    """Runs a coroutine on the client, and returns when it is done."""

    def __call__(self, begin: Callable[[Client], Coroutine[Any, Any, T]]) -> T: ...


class Iterate(Protocol):
    """The items of an iterator of the client's, as they come."""

    def __call__(self, begin: Callable[[Client], AsyncIterator[T]]) -> Iterator[T]: ...
