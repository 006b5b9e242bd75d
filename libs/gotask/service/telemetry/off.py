"""No traces."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

from gotask import v1
from gotask.service.telemetry.contract import AsgiApp, Attempt, EndTold, Held, StatusTold, Telemetry

_NOTHING = nullcontext()
_UNTOLD: AbstractContextManager[StatusTold] = nullcontext(lambda _: None)


class _Off:
    wants_claim_times = False

    def http(self, app: AsgiApp) -> AsgiApp:
        return app

    def rpc(self, call: str, metadata: Mapping[str, str]) -> AbstractContextManager[StatusTold]:  # noqa: ARG002
        return _UNTOLD

    def submitting(self, specs: Sequence[v1.JobSpec]) -> AbstractContextManager[None]:  # noqa: ARG002
        return _NOTHING

    def arriving(self, specs: Sequence[v1.JobSpec], now_us: int) -> None: ...

    def stored(self, specs: Sequence[v1.JobSpec], began_us: int) -> None: ...

    def claimed(self, reply: v1.ClaimReply, specs: Sequence[v1.JobSpec], started_us: int) -> None: ...

    def around_attempt(
        self,
        run: Attempt[Held],
        spec_of: Callable[[Held], v1.JobSpec],  # noqa: ARG002
        worker: str,  # noqa: ARG002
    ) -> Attempt[Held]:
        return run

    def at_end(self, tell: EndTold[Held]) -> EndTold[Held]:
        return tell

    def settled(self, results: Sequence[v1.JobResult], began_us: int) -> None: ...

    def lost(self, spec: v1.JobSpec, attempt: v1.Attempt) -> None: ...

    async def close(self) -> None: ...


OFF: Telemetry = _Off()
"""What services are given when traces are off."""
