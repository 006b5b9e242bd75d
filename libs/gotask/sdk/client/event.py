"""What happened to a job, as a client sees it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gotask import v1
from gotask.bus.subjects import KIND_TOKENS
from gotask.sdk.client.job import JobError, Progress
from gotask.sdk.client.times import at
from gotask.sdk.errors import InvalidArgument

_KINDS = {name: kind for kind, name in KIND_TOKENS.items()}


def event_kinds(names: Sequence[str]) -> list[v1.EventKind.ValueType]:
    """InvalidArgument names the known ones."""
    for name in names:
        if name not in _KINDS:
            raise InvalidArgument(f"unknown kind {name!r}; known are {', '.join(_KINDS)}", "kinds")
    return [_KINDS[name] for name in names]


@dataclass(frozen=True, slots=True)
class JobEvent:
    """*kind* is created, released, started, progress, succeeded, retrying, failed, dead, cancelled, expired, returned,
    deleted or stale. What does not apply to the kind is empty or None."""

    kind: str
    job_id: str
    queue: str
    type: str
    worker: str
    at: datetime
    attempt: int
    wait: timedelta | None
    """started: from pending to claimed."""
    run: timedelta | None
    """End of an attempt: how long its handler ran."""
    error: JobError | None
    progress: Progress | None
    cursor: str
    """Where to go on after this event and those that were recorded with it; empty when one job is watched."""
    gap: bool
    """Events between the one before and this one are kept no longer."""
    message: v1.JobEvent = field(repr=False)
    """All of it, as it came."""

    @classmethod
    def of(cls, message: v1.JobEvent, cursor: str = "", *, gap: bool = False) -> "JobEvent":
        progress, error = message.progress, message.error
        return cls(
            kind=KIND_TOKENS[message.kind],
            job_id=message.job_id,
            queue=message.queue,
            type=message.type,
            worker=message.worker,
            at=at(message.at_us),
            attempt=message.attempt,
            wait=timedelta(microseconds=message.wait_us) if message.wait_us else None,
            run=timedelta(microseconds=message.run_us) if message.run_us else None,
            error=JobError(error.type, error.message, error.traceback) if message.HasField("error") else None,
            progress=Progress(round(progress.percent, 6), progress.message, at(progress.at_us))
            if message.HasField("progress")
            else None,
            cursor=cursor,
            gap=gap,
            message=message,
        )
