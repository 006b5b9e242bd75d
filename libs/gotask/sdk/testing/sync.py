"""A sandbox for code without an event loop."""

from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from gotask.sdk.app import App
from gotask.sdk.client.event import JobEvent
from gotask.sdk.client.sync.client import SyncClient
from gotask.sdk.client.times import Duration
from gotask.sdk.testing.sandbox import START, Sandbox


class SyncSandbox:
    """As :class:`~gotask.sdk.testing.sandbox.Sandbox`, but its calls return when they are done.

        with SyncSandbox(app, eager=True) as sandbox:
            signup(sandbox.client, "ada@example.org")
            (mail,) = sandbox.client.list(type="mail.send").items
            assert mail.succeeded

    Handlers run in the thread of its client.
    """

    def __init__(self, app: App, *, eager: bool = False, now: datetime = START) -> None:
        self._sandbox = Sandbox(app, eager=eager, now=now)
        self.client = SyncClient(client=self._sandbox.client)
        """For the code that is tested, and for looking at jobs and queues."""

    def __enter__(self) -> Self:
        self._sandbox.enter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._sandbox.leave()
        self.client.close()

    @property
    def now(self) -> datetime:
        return self._sandbox.now

    @property
    def events(self) -> Sequence[JobEvent]:
        return self._sandbox.events

    def run(self) -> int:
        return self.client.call(lambda _: self._sandbox.run())

    def advance(self, duration: Duration) -> int:
        return self.client.call(lambda _: self._sandbox.advance(duration))

    def drain(self) -> int:
        return self.client.call(lambda _: self._sandbox.drain())
