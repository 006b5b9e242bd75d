"""A worker, as a client sees it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gotask import v1
from gotask.sdk.client.times import moment


@dataclass(frozen=True, slots=True)
class Worker:
    """What a worker's last heartbeat told. Names as in REST."""

    id: str
    hostname: str
    pid: int
    queues: Sequence[str]
    types: Sequence[str]
    concurrency: int
    running: int
    draining: bool
    version: str
    started_at: datetime | None
    seen_at: datetime | None
    message: v1.WorkerInfo = field(repr=False)
    """All of it, as it came."""

    @classmethod
    def of(cls, message: v1.WorkerInfo) -> "Worker":
        return cls(
            id=message.id,
            hostname=message.hostname,
            pid=message.pid,
            queues=tuple(message.queues),
            types=tuple(message.types),
            concurrency=message.concurrency,
            running=message.running,
            draining=message.draining,
            version=message.version,
            started_at=moment(message.started_at_us),
            seen_at=moment(message.seen_at_us),
            message=message,
        )
