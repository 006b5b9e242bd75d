"""A job that this worker holds."""

import asyncio
from dataclasses import dataclass
from enum import Enum

from gotask import v1
from gotask.sdk.context import JobContext


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
    interruption: Interruption | None = None
    ended: bool = False

    def interrupt(self, why: Interruption) -> None:
        """Stops the handler: a coroutine is cancelled, a thread is asked. The first reason stands."""
        if self.ended or self.interruption is not None:
            return
        self.interruption = why
        self.context.cancelled = True
        if self.task is not None:
            self.task.cancel()
