"""What the services tell of, each at its place on a job's way."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from gotask import v1

Held = TypeVar("Held")
Attempt = Callable[[Held], Coroutine[Any, Any, None]]
"""Runs the handler of what is held, and tells how it ended."""
EndTold = Callable[[Held, v1.JobResult | None], None]
StatusTold = Callable[[str], None]
AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]


class Telemetry(Protocol):
    """Makes spans, or does nothing. Times are microseconds since the epoch."""

    def http(self, app: AsgiApp) -> AsgiApp:
        """*app*, each of whose requests is a span."""
        ...

    def rpc(self, call: str, metadata: Mapping[str, str]) -> AbstractContextManager[StatusTold]:
        """Around a gRPC call such as ``/gotask.v1.JobService/SubmitJob``: a span. It is told the status's name, if that
        is not OK."""
        ...

    def submitting(self, specs: Sequence[v1.JobSpec]) -> AbstractContextManager[None]:
        """Around a submission: a span per job, whose context is written into its spec. A spec that has one keeps it."""
        ...

    def arriving(self, specs: Sequence[v1.JobSpec], now_us: int) -> None:
        """Jobs are about to be stored: the sampler decides about those that come without a trace."""
        ...

    def stored(self, specs: Sequence[v1.JobSpec], began_us: int) -> None:
        """Jobs were stored together."""
        ...

    @property
    def wants_claim_times(self) -> bool:
        """Whether claim replies are to tell since when each job was pending."""
        ...

    def claimed(self, reply: v1.ClaimReply, specs: Sequence[v1.JobSpec], started_us: int) -> None:
        """A worker has got jobs, and starts them at *started_us*."""
        ...

    def around_attempt(self, run: Attempt[Held], spec_of: Callable[[Held], v1.JobSpec], worker: str) -> Attempt[Held]:
        """*run*, within a span that the handler's own spans become children of."""
        ...

    def at_end(self, tell: EndTold[Held]) -> EndTold[Held]:
        """*tell*, which is told within such a span how its attempt ended. Its context is written into the result."""
        ...

    def settled(self, results: Sequence[v1.JobResult], began_us: int) -> None:
        """Results were stored together."""
        ...

    def lost(self, spec: v1.JobSpec, attempt: v1.Attempt) -> None:
        """A worker fell silent: its attempt has no span of its own."""
        ...

    async def close(self) -> None:
        """Sends what was not sent yet, for a few seconds at most."""
        ...
