"""A handler as its users call it: to run it here, or to submit a job that runs it elsewhere."""

import functools
from collections.abc import Callable, Coroutine
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    ParamSpec,
    Protocol,
    TypeVar,
    Unpack,
    get_type_hints,
    overload,
)

from gotask.sdk.binding import Binder, InvalidPayload
from gotask.sdk.client.handle import JobHandle
from gotask.sdk.client.new_job import NewJob
from gotask.sdk.client.options import JobOptions
from gotask.sdk.context import JobContext
from gotask.sdk.errors import InvalidArgument

if TYPE_CHECKING:
    from gotask.sdk.client.client import Client

C = ParamSpec("C")
P = ParamSpec("P")
V = TypeVar("V")
R = TypeVar("R")

_EXCLUSIVE = {"scheduled_at": "delay", "delay": "scheduled_at", "expires_at": "ttl", "ttl": "expires_at"}


class Register(Protocol):
    """Takes a handler. To type checkers a context is no argument of its jobs where it comes first."""

    @overload
    def __call__(
        self, function: Callable[Concatenate[JobContext, P], V], /
    ) -> "JobFunction[Concatenate[JobContext, P], P, V]": ...

    @overload
    def __call__(self, function: Callable[P, V], /) -> "JobFunction[P, P, V]": ...


class JobCall(Generic[C, P, V]):
    """A handler with options for its jobs."""

    __slots__ = ("_binder", "_client", "_function", "_options", "type")

    def __init__(
        self,
        job_type: str,
        function: Callable[C, V],
        binder: Binder,
        client: "Callable[[], Client]",
        options: JobOptions,
    ) -> None:
        self.type = job_type
        self._function = function
        self._binder = binder
        self._client = client
        self._options = options

    @overload
    def job(self: "JobCall[C, P, Coroutine[Any, Any, R]]", *args: P.args, **kwargs: P.kwargs) -> NewJob[R]: ...

    @overload
    def job(self: "JobCall[C, P, R]", *args: P.args, **kwargs: P.kwargs) -> NewJob[R]: ...

    def job(self, *args: Any, **kwargs: Any) -> NewJob[Any]:
        """The job that runs the handler with these arguments; see :meth:`JobFunction.job`."""
        payload = self._payload(args, kwargs)
        return NewJob(self.type, payload, returns=_returns(self._function), **self._options)

    @overload
    async def submit(
        self: "JobCall[C, P, Coroutine[Any, Any, R]]", *args: P.args, **kwargs: P.kwargs
    ) -> JobHandle[R]: ...

    @overload
    async def submit(self: "JobCall[C, P, R]", *args: P.args, **kwargs: P.kwargs) -> JobHandle[R]: ...

    async def submit(self, *args: Any, **kwargs: Any) -> JobHandle[Any]:
        """Submits that job with the app's client."""
        return await self._client().submit(self.job(*args, **kwargs))

    def options(self, **options: Unpack[JobOptions]) -> "JobCall[C, P, V]":
        """The same with *options*, which go over those it has."""
        replaced = {_EXCLUSIVE.get(name) for name in options}
        kept: Any = {name: value for name, value in self._options.items() if name not in replaced}
        together: Any = {**kept, **options}
        NewJob(self.type, **together)
        return JobCall(self.type, self._function, self._binder, self._client, together)

    def _payload(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            return self._binder.payload(args, kwargs)
        except TypeError as error:
            raise TypeError(f"{getattr(self._function, '__name__', self.type)}(): {error}") from None
        except InvalidPayload as error:
            field, _, reason = str(error).partition(": ")
            raise InvalidArgument(reason, field) from None


class JobFunction(Generic[C, P, V]):
    """What ``@app.job(...)`` makes of a function.

        await resize(url="https://...", width=300)                             # runs it here
        job = await resize.submit(url="https://...", width=300)                # submits a job with the app's client
        await resize.options(queue="slow", delay="5m").submit(url="https://...", width=300)
        await client.submit_many(resize.job(url=url, width=300) for url in urls)

    Arguments are checked where the job is submitted, as they will be where it runs.
    """

    def __init__(self, call: JobCall[C, P, V], function: Callable[C, V]) -> None:
        functools.update_wrapper(self, function)
        self._call = call
        self.function = function
        """What was decorated."""

    def __call__(self, *args: C.args, **kwargs: C.kwargs) -> V:
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<JobFunction {self.type}>"

    @property
    def type(self) -> str:
        """The type of its jobs."""
        return self._call.type

    @overload
    def job(self: "JobFunction[C, P, Coroutine[Any, Any, R]]", *args: P.args, **kwargs: P.kwargs) -> NewJob[R]: ...

    @overload
    def job(self: "JobFunction[C, P, R]", *args: P.args, **kwargs: P.kwargs) -> NewJob[R]: ...

    def job(self, *args: Any, **kwargs: Any) -> NewJob[Any]:
        """The job that runs it with these arguments, for a client to submit.

        :raises TypeError: there is no such parameter, or one is missing.
        :raises InvalidArgument: a value is not of its parameter's type; ``field`` names it.
        """
        return self._call.job(*args, **kwargs)

    @overload
    async def submit(
        self: "JobFunction[C, P, Coroutine[Any, Any, R]]", *args: P.args, **kwargs: P.kwargs
    ) -> JobHandle[R]: ...

    @overload
    async def submit(self: "JobFunction[C, P, R]", *args: P.args, **kwargs: P.kwargs) -> JobHandle[R]: ...

    async def submit(self, *args: Any, **kwargs: Any) -> JobHandle[Any]:
        """Submits that job with the app's client; raises what ``job`` and :meth:`Client.submit` raise."""
        return await self._call.submit(*args, **kwargs)

    def options(self, **options: Unpack[JobOptions]) -> JobCall[C, P, V]:
        """It with options for its jobs, over those that ``@app.job`` was given."""
        return self._call.options(**options)


@functools.cache
def _returns(function: Callable[..., Any]) -> Any:
    return get_type_hints(function, include_extras=True).get("return", Any)
