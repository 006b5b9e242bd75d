"""A set of handlers, by the types of the jobs they run."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from gotask.jobs.validation import InvalidJob, check_type
from gotask.sdk.binding import Binder

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Handler:
    """A function that runs jobs of one type."""

    type: str
    function: Callable[..., Any]
    is_async: bool
    binder: Binder


class App:
    """Handlers that a worker runs.

    ``async def`` handlers run on the worker's event loop and must not block it; plain ``def`` handlers run in threads.
    """

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    def job(self, job_type: str) -> Callable[[Function], Function]:
        """Registers the decorated function for jobs of *job_type*; the function itself stays as it is.

        :raises ValueError: the name is not one a type may have, or is taken.
        """
        try:
            check_type(job_type)
        except InvalidJob as error:
            raise ValueError(f"job type {job_type!r}: {error.reason}") from None

        def register(function: Function) -> Function:
            if job_type in self._handlers:
                other = self._handlers[job_type].function
                raise ValueError(f"job type {job_type!r} has a handler already: {other.__qualname__}")
            is_async = inspect.iscoroutinefunction(function)
            self._handlers[job_type] = Handler(job_type, function, is_async, Binder(function))
            return function

        return register

    def handler(self, job_type: str) -> Handler | None:
        """The handler for *job_type*, if there is one."""
        return self._handlers.get(job_type)

    @property
    def types(self) -> list[str]:
        """The types that have a handler, sorted."""
        return sorted(self._handlers)
