"""A place where an app's handlers run without servers."""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from gotask.sdk.app import App
from gotask.sdk.client.client import Client
from gotask.sdk.client.event import JobEvent
from gotask.sdk.client.times import Duration, at, micros
from gotask.sdk.testing.engine import Engine
from gotask.sdk.testing.schedules import Schedules
from gotask.sdk.testing.transport import SandboxTransport

START = datetime(2030, 1, 1, tzinfo=UTC)
"""What a sandbox's clock shows at first, if nothing else is said."""
_MOST = 100_000


class Sandbox:
    """Within ``async with``, the app's jobs go here instead of to servers.

        async with Sandbox(app) as sandbox:
            job = await resize.submit(url="https://...", width=300)
            await sandbox.run()
            assert await job.result() == {"width": 300}

    Everything else is as in production: payloads and options are checked, priorities, retries, keys, expiry and limits
    of queues count, middleware is called. What is not: leases, and the limits of time are those of the sandbox's clock,
    which stands still but for :meth:`advance`; only an attempt's own timeout counts real time.
    """

    def __init__(self, app: App, *, eager: bool = False, now: datetime = START) -> None:
        """
        :param eager: run what is pending after each submission, before ``submit`` returns.
        :param now: what the sandbox's clock shows at first.
        """
        self._app = app
        self._engine = Engine(app, round(now.timestamp() * 1e6))
        self._schedules = Schedules(self._engine)
        self._lent = ExitStack()
        self.client = Client(transport=SandboxTransport(self._engine, self._schedules, eager=eager))
        """For submitting by type, and for looking at jobs and queues."""

    async def __aenter__(self) -> Self:
        self.enter()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.leave()

    def enter(self) -> None:
        """From now on the app submits here."""
        self._lent.enter_context(self._app.using(self.client))

    def leave(self) -> None:
        """The app submits with its own client again."""
        self._lent.close()

    @property
    def now(self) -> datetime:
        """What the sandbox's clock shows."""
        return at(self._engine.now_us)

    @property
    def events(self) -> Sequence[JobEvent]:
        """All that has happened so far, oldest first."""
        return [JobEvent.of(event) for event in self._engine.events]

    async def run(self) -> int:
        """Runs what is pending, and what that submits, until nothing is; how many attempts that were."""
        return await self._engine.run()

    async def advance(self, duration: Duration) -> int:
        """Moves the clock on by *duration*, fires schedules at their ticks, and runs each job when its time has come;
        how many attempts that were."""
        until_us = self._engine.now_us + micros(duration)
        attempts = await self._engine.run()
        while (next_us := await self._next_moment()) is not None and next_us <= until_us:
            attempts += await self._move_on(next_us)
        self._engine.now_us = until_us
        return attempts + await self._engine.run()

    async def drain(self) -> int:
        """Moves the clock on until no job waits for its time any more; how many attempts that were. Schedules fire
        meanwhile, but are not waited for.

        RuntimeError after 100,000 attempts: jobs that submit others never end.
        """
        attempts = await self._engine.run()
        while await self._engine.next_due() is not None and (next_us := await self._next_moment()) is not None:
            attempts += await self._move_on(next_us)
            if attempts > _MOST:
                raise RuntimeError(f"{attempts} attempts, and jobs still wait")
        return attempts

    async def _next_moment(self) -> int | None:
        """When the next job is due, or the next tick comes."""
        moments = (await self._engine.next_due(), await self._schedules.next_fire())
        return min((moment for moment in moments if moment is not None), default=None)

    async def _move_on(self, until_us: int) -> int:
        self._engine.now_us = max(self._engine.now_us, until_us)
        await self._schedules.fire_due()
        return await self._engine.run()
