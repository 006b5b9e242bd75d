"""What a handler may know of its job, and tell about it."""

import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import structlog

from gotask import v1


class JobContext:
    """Handed to a handler's parameter that is annotated with this class. Usable from threads, too."""

    __slots__ = ("_report", "_spec", "attempt", "cancelled", "deadline_us")

    def __init__(
        self, spec: v1.JobSpec, attempt: int, deadline_us: int, report: Callable[[str, v1.Progress], None]
    ) -> None:
        self._spec = spec
        self._report = report
        self.attempt = attempt
        """Which try this is; 1 is the first."""
        self.deadline_us = deadline_us
        """When the attempt times out, in microseconds since the epoch."""
        self.cancelled = False
        """Whether the job is to be cancelled, or its time is over: a handler in a thread should look now and then."""

    @property
    def job_id(self) -> str:
        return self._spec.id

    @property
    def type(self) -> str:
        return self._spec.type

    @property
    def queue(self) -> str:
        return self._spec.queue

    @property
    def max_attempts(self) -> int:
        return self._spec.retry.max_retries + 1

    @property
    def metadata(self) -> Mapping[str, str]:
        return MappingProxyType(dict(self._spec.metadata))

    @property
    def tags(self) -> Sequence[str]:
        return tuple(self._spec.tags)

    @property
    def logger(self) -> Any:
        """A structlog logger that knows the job."""
        return structlog.get_logger("gotask.job").bind(
            job_id=self.job_id, type=self.type, queue=self.queue, attempt=self.attempt
        )

    def progress(self, percent: float, message: str = "") -> None:
        """Tells how far the job is, 0 to 100. Costs little: only the newest value is sent, ten times a second at most.

        :raises ValueError: *percent* lies outside of 0 to 100.
        """
        if not 0 <= percent <= 100:
            raise ValueError(f"progress of {percent} percent; use 0 to 100")
        self._report(self._spec.id, v1.Progress(percent=percent, message=message[:500], at_us=time.time_ns() // 1000))
