"""A queue and its figures, as a client sees them. Names as in REST."""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gotask import v1
from gotask.jobs.request import STRATEGY_NAMES
from gotask.sdk.client.times import moment


@dataclass(frozen=True, slots=True)
class Queue:
    """Limits of a queue, and the defaults of its jobs. A limit of 0 is none."""

    name: str
    paused: bool
    max_workers: int
    max_length: int
    rate_limit: float
    priority: int
    weight: int
    max_retries: int
    retry_strategy: str
    retry_delay: timedelta
    max_retry_delay: timedelta
    retry_jitter: float
    timeout: timedelta
    dead_letter: bool
    lease: timedelta
    retention_success: timedelta
    retention_other: timedelta
    created_at: datetime | None
    updated_at: datetime | None
    message: v1.Queue = field(repr=False)
    """All of it, as it came."""

    @classmethod
    def of(cls, message: v1.Queue) -> "Queue":
        return cls(
            name=message.name,
            paused=message.paused,
            max_workers=message.max_workers,
            max_length=message.max_length,
            rate_limit=message.rate_limit,
            priority=message.priority,
            weight=message.weight,
            max_retries=message.retry.max_retries,
            retry_strategy=STRATEGY_NAMES.get(message.retry.strategy, ""),
            retry_delay=timedelta(microseconds=message.retry.delay_us),
            max_retry_delay=timedelta(microseconds=message.retry.max_delay_us),
            retry_jitter=round(message.retry.jitter, 6),
            timeout=timedelta(microseconds=message.timeout_us),
            dead_letter=message.dead_letter,
            lease=timedelta(microseconds=message.lease_us),
            retention_success=timedelta(microseconds=message.retention_success_us),
            retention_other=timedelta(microseconds=message.retention_other_us),
            created_at=moment(message.created_at_us),
            updated_at=moment(message.updated_at_us),
            message=message,
        )


@dataclass(frozen=True, slots=True)
class QueuePurged:
    """How many waiting jobs were cancelled. If not *complete*, there may be more: repeat the call."""

    cancelled: int
    complete: bool


@dataclass(frozen=True, slots=True)
class QueueStats:
    """A queue's figures, as they stood."""

    name: str
    paused: bool
    pending_jobs: int
    running_jobs: int
    scheduled: int
    retrying: int
    dead: int
    completed_jobs: int
    """That ended in success, since the queue was made."""
    failed_jobs: int
    """That ended failed or dead."""
    throughput_per_min: int
    """Jobs that ended within the last minute."""
    workers: int
    """Live workers that serve the queue."""
    oldest_pending_age_seconds: float
    """Of the job next in line; 0 when none waits."""
    message: v1.QueueStats = field(repr=False)
    """All of it, as it came."""

    @classmethod
    def of(cls, message: v1.QueueStats) -> "QueueStats":
        oldest_us = message.oldest_ready_at_us
        return cls(
            name=message.name,
            paused=message.paused,
            pending_jobs=message.pending,
            running_jobs=message.running,
            scheduled=message.scheduled,
            retrying=message.retrying,
            dead=message.dead,
            completed_jobs=message.completed_total,
            failed_jobs=message.failed_total,
            throughput_per_min=message.finished_last_minute,
            workers=message.workers,
            oldest_pending_age_seconds=max(time.time_ns() // 1000 - oldest_us, 0) / 1e6 if oldest_us else 0.0,
            message=message,
        )
