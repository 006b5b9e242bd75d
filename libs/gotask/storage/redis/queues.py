"""A queue's settings as the scripts read them."""

from gotask import v1


def script_fields(queue: v1.Queue) -> list[str | int | float]:
    """Names and values for the queue's hash; ``paused`` has a life of its own."""
    return [
        "max_workers",
        queue.max_workers,
        "max_length",
        queue.max_length,
        "rate_limit",
        repr(queue.rate_limit),
        "retention_success",
        queue.retention_success_us,
        "retention_other",
        queue.retention_other_us,
    ]


def stats_of(name: str, answer: list[bytes | int]) -> v1.QueueStats:
    """What stats.lua answers for one queue."""
    pending, running, scheduled, retrying, dead, completed, failed, recent, oldest, paused = map(int, answer)
    return v1.QueueStats(
        name=name,
        pending=pending,
        running=running,
        scheduled=scheduled,
        retrying=retrying,
        dead=dead,
        completed_total=completed,
        failed_total=failed,
        finished_last_minute=recent,
        oldest_ready_at_us=oldest,
        paused=bool(paused),
    )
