"""How a queue is kept: as a whole, with the fields that scripts need beside it."""

from collections.abc import Sequence

from gotask import v1

_STATS = (
    "pending",
    "running",
    "scheduled",
    "retrying",
    "dead",
    "completed_total",
    "failed_total",
    "finished_last_minute",
    "oldest_ready_at_us",
    "paused",
)


def creation(queue: v1.Queue) -> list[str | bytes | int]:
    """The arguments of ``lua/queue_create.lua``."""
    return [*settings(queue), "paused", int(queue.paused), "created_at", queue.created_at_us]


def settings(queue: v1.Queue) -> list[str | bytes | int]:
    """The arguments of ``lua/queue_update.lua``: the queue's name, then fields and values."""
    fields: dict[str, str | bytes | int] = {
        "data": queue.SerializeToString(),
        "max_workers": queue.max_workers,
        "max_length": queue.max_length,
        "rate_limit": repr(queue.rate_limit),
        "retention_success": queue.retention_success_us,
        "retention_other": queue.retention_other_us,
        "updated_at": queue.updated_at_us,
    }
    return [queue.name, *(part for field in fields.items() for part in field)]


def queue_of(row: Sequence[bytes]) -> v1.Queue:
    """The queue of a row of ``lua/queue_get.lua``."""
    data, paused, created_at, updated_at = row
    queue = v1.Queue.FromString(data)
    queue.paused = paused == b"1"
    queue.created_at_us = int(created_at)
    queue.updated_at_us = int(updated_at)
    return queue


def stats_of(name: str, row: Sequence[int]) -> v1.QueueStats:
    """The figures of a row of ``lua/stats.lua``; zeros for an empty one."""
    stats = v1.QueueStats(name=name)
    for field, number in zip(_STATS, row, strict=False):
        setattr(stats, field, bool(number) if field == "paused" else number)
    return stats
