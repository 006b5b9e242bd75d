"""A job that this worker holds."""

import asyncio
from dataclasses import dataclass
from enum import Enum
from typing import Any

from gotask import v1
from gotask.sdk.context import JobContext
from gotask.service.telemetry import trace_id_of


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

    def about(self) -> dict[str, Any]:
        """What the log says of it."""
        spec = self.spec
        fields = {"job_id": self.job_id, "queue": spec.queue, "type": spec.type, "attempt": self.context.attempt}
        trace_id = trace_id_of(spec.traceparent)
        return fields | ({"trace_id": trace_id} if trace_id else {})

    def interrupt(self, why: Interruption) -> None:
        """Stops the handler: a coroutine is cancelled, a thread is asked. The first reason stands."""
        if self.ended or self.interruption is not None:
            return
        self.interruption = why
        self.context.cancelled = True
        if self.task is not None:
            self.task.cancel()
