"""A job that this worker holds."""

import asyncio
from concurrent.futures import Future
from dataclasses import dataclass
from enum import Enum
from typing import Any

from gotask import v1
from gotask.sdk.context import JobContext
from gotask.worker.about import about_job


class Interruption(Enum):
    """Why a job is stopped from outside."""

    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    LEASE_LOST = "lease lost"
    RETURNED = "returned"


@dataclass(slots=True, eq=False)
class RunningJob:
    """A claimed job, from its claim until its result is stored. ``attempt`` is the fencing token."""

    spec: v1.JobSpec
    job_id: str
    attempt: int
    context: JobContext
    started_at_us: int
    task: asyncio.Task[None] | None = None
    thread: Future[Any] | None = None
    """The handler's, when it runs in one; it may outlast the attempt."""
    interruption: Interruption | None = None
    begun: bool = False
    ended: bool = False

    def about(self) -> dict[str, Any]:
        """What the log says of it."""
        return about_job(self.spec, self.context.attempt)

    def begin(self) -> None:
        """The task runs. CancelledError when it was interrupted before it did."""
        self.begun = True
        if self.interruption is not None:
            raise asyncio.CancelledError

    def interrupt(self, why: Interruption) -> bool:
        """Asks the handler to end: a coroutine is cancelled, a thread sees it in its context, a process is ended.

        False when that is of no use: the attempt has ended, or was interrupted before; the first reason stands.
        """
        if self.ended or self.interruption is not None:
            return False
        self.interruption = why
        self.context.cancelled = True
        # A task that is cancelled before its first step never takes it: nobody would hear how the attempt ended.
        if self.task is not None and self.begun:
            self.task.cancel()
        return True
