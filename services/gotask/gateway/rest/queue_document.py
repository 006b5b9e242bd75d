"""A queue and its figures, as REST shows them."""

from typing import Any

from gotask import v1
from gotask.gateway.queues import Stats
from gotask.gateway.rest.times import duration, moment
from gotask.jobs.request import STRATEGY_NAMES

_DECIMALS = 6


def queue_document(queue: v1.Queue) -> dict[str, Any]:
    """Every setting, and whether it is paused."""
    return {
        "name": queue.name,
        "paused": queue.paused,
        "max_workers": queue.max_workers,
        "max_length": queue.max_length,
        "rate_limit": queue.rate_limit,
        "priority": queue.priority,
        "weight": queue.weight,
        "max_retries": queue.retry.max_retries,
        "retry_strategy": STRATEGY_NAMES.get(queue.retry.strategy),
        "retry_delay": duration(queue.retry.delay_us),
        "max_retry_delay": duration(queue.retry.max_delay_us),
        "retry_jitter": round(queue.retry.jitter, _DECIMALS),
        "timeout": duration(queue.timeout_us),
        "dead_letter": queue.dead_letter,
        "lease": duration(queue.lease_us),
        "retention_success": duration(queue.retention_success_us),
        "retention_other": duration(queue.retention_other_us),
        "created_at": moment(queue.created_at_us),
        "updated_at": moment(queue.updated_at_us),
    }


def stats_document(stats: Stats) -> dict[str, Any]:
    """A queue's figures; the age is 0 when no job is pending."""
    figures = stats.figures
    oldest = figures.oldest_ready_at_us
    return {
        "name": figures.name,
        "pending_jobs": figures.pending,
        "running_jobs": figures.running,
        "completed_jobs": figures.completed_total,
        "failed_jobs": figures.failed_total,
        "workers": figures.workers,
        "throughput_per_min": float(figures.finished_last_minute),
        "scheduled": figures.scheduled,
        "retrying": figures.retrying,
        "dead": figures.dead,
        "oldest_pending_age_seconds": max(stats.at_us - oldest, 0) / 1e6 if oldest else 0.0,
    }
