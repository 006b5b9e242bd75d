"""A set of handlers, by the types of the jobs they run."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Unpack, cast

from gotask.jobs.limits import DEFAULT_QUEUE
from gotask.jobs.validation import InvalidJob, check_type
from gotask.sdk.binding import Binder
from gotask.sdk.client.client import Client
from gotask.sdk.client.new_job import NewJob
from gotask.sdk.client.options import JobDefaults, JobOptions
from gotask.sdk.function import JobCall, JobFunction, Register
from gotask.sdk.middleware import Middleware

Exceptions = tuple[type[BaseException], ...]


@dataclass(frozen=True, slots=True)
class Handler:
    """A function that runs jobs of one type."""

    type: str
    function: Callable[..., Any]
    is_async: bool
    binder: Binder
    in_process: bool = False
    """Whether it runs in a process of its own."""
    no_retry_on: Exceptions = ()
    """Exceptions after which its jobs are not tried again."""
    middleware: Sequence[Middleware] = ()
    """What its app has around each job."""
    queue: str = DEFAULT_QUEUE
    """Where its jobs go that are submitted through it."""


class App:
    """Handlers that a worker runs.

    ``async def`` handlers run on the worker's event loop and must not block it; plain ``def`` handlers run in threads;
    those declared with ``process=True`` run in processes, where a timeout or a cancellation ends them for certain.

    :param middleware: what happens around each job, see :class:`~gotask.sdk.middleware.Middleware`.
    :param no_retry_on: exceptions after which no job of this app is tried again.
    :param client: with which its handlers' jobs are submitted.
    """

    def __init__(
        self,
        *,
        middleware: Sequence[Middleware] = (),
        no_retry_on: Exceptions = (),
        client: Client | None = None,
    ) -> None:
        self._client = client
        self._lent: Client | None = None
        self._included: list[App] = []
        self._handlers: dict[str, Handler] = {}
        self._around = tuple(middleware)
        self.middleware = self._around
        """Its own, and that of the apps it includes."""
        self._no_retry_on = _exceptions(no_retry_on)
        self.places: tuple[str, ...] = ()
        """Where another process finds these handlers, as module:attribute; set when they are loaded from there."""

    @property
    def client(self) -> Client:
        """With which its handlers' jobs are submitted: what was set; else in a worker the worker's own; else one that
        is made from the environment at first use."""
        if self._client is None:
            self._client = Client()
        return self._client

    @client.setter
    def client(self, client: Client) -> None:
        self._client = client

    def lend(self, client: Client) -> None:
        """A worker lends its own to the app and to those it includes, for handlers that submit jobs; what was set
        stays."""
        if self._client in (None, self._lent):
            self._client = client
        self._lent = client
        for other in self._included:
            other.lend(client)

    @contextmanager
    def using(self, client: Client) -> Iterator[None]:
        """Within it, the app and those it includes submit with *client*."""
        with ExitStack() as stack:
            for other in self._included:
                stack.enter_context(other.using(client))
            before, self._client = self._client, client
            try:
                yield
            finally:
                self._client = before

    def job(
        self, job_type: str, *, process: bool = False, no_retry_on: Exceptions = (), **defaults: Unpack[JobDefaults]
    ) -> Register:
        """Registers the decorated function for jobs of *job_type*, and makes it a
        :class:`~gotask.sdk.function.JobFunction`: it can be called as before, and submitted.

        :param process: run it in a process of the worker's pool.
        :param no_retry_on: exceptions after which a job is not tried again, besides those of the app.
        :param defaults: what jobs have that are submitted through the function: their queue, timeout, retries ...
        :raises ValueError: the name is not one a type may have, or is taken.
        :raises InvalidArgument: one of *defaults* is wrong.
        :raises TypeError: the function's parameters cannot take a payload, or what is in *no_retry_on* is no exception.
        """
        try:
            check_type(job_type)
        except InvalidJob as error:
            raise ValueError(f"job type {job_type!r}: {error.reason}") from None
        not_retried = self._no_retry_on + _exceptions(no_retry_on)
        options = cast("JobOptions", defaults)
        NewJob(job_type, **options)

        def register(decorated: Callable[..., Any]) -> JobFunction[..., ..., Any]:
            function = decorated.function if isinstance(decorated, JobFunction) else decorated
            is_async = inspect.iscoroutinefunction(function)
            binder = Binder(function)
            queue = options.get("queue", DEFAULT_QUEUE)
            handler = Handler(job_type, function, is_async, binder, process, not_retried, self._around, queue)
            self._add(handler)
            call: JobCall[..., ..., Any] = JobCall(job_type, function, binder, lambda: self.client, options)
            return JobFunction(call, function)

        return cast("Register", register)

    def include(self, other: "App") -> None:
        """Takes over the handlers that *other* has by now; they keep its middleware and what it does not retry.

        :raises ValueError: both have a handler for the same type.
        """
        for handler in other.handlers:
            self._add(handler)
        self._included.append(other)
        self.middleware += tuple(each for each in other.middleware if each not in self.middleware)

    def _add(self, handler: Handler) -> None:
        other = self._handlers.setdefault(handler.type, handler)
        if other is not handler:
            raise ValueError(f"job type {handler.type!r} has a handler already: {other.function.__qualname__}")

    def handler(self, job_type: str) -> Handler | None:
        """The handler for *job_type*, if there is one."""
        return self._handlers.get(job_type)

    @property
    def handlers(self) -> Sequence[Handler]:
        """All of them."""
        return tuple(self._handlers.values())

    @property
    def types(self) -> list[str]:
        """The types that have a handler, sorted."""
        return sorted(self._handlers)

    @property
    def queues(self) -> list[str]:
        """``default``, where jobs go that are submitted by their type alone, and the queues that handlers name."""
        return sorted({DEFAULT_QUEUE, *(handler.queue for handler in self.handlers)})


def _exceptions(given: Exceptions) -> Exceptions:
    """TypeError for what cannot be raised."""
    for each in given:
        if not (isinstance(each, type) and issubclass(each, BaseException)):
            raise TypeError(f"no_retry_on: {each!r} is not an exception class")
    return tuple(given)
