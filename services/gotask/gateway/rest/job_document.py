"""A job, as REST shows it."""

from typing import Any

import orjson

from gotask import v1
from gotask.gateway.rest.times import duration, moment
from gotask.jobs.request import STRATEGY_NAMES
from gotask.jobs.states import name_of

_OUTCOMES = {value: name.removeprefix("OUTCOME_").lower() for name, value in v1.Outcome.items()}
_NO_RETRY = v1.RetryPolicy()
_DECIMALS = 6
"""What a 32-bit float holds."""


def job_document(job: v1.Job) -> dict[str, Any]:
    """All but the history. Payload and result go in as the JSON they are, never decoded."""
    spec = job.spec
    attempts = job.history.attempts
    return {
        "id": spec.id,
        "type": spec.type,
        "queue": spec.queue,
        "status": name_of(job.state),
        "payload": _json(spec.payload),
        "priority": spec.priority,
        "result": _json(job.result),
        "error": _error_of(attempts[-1]) if attempts else None,
        "progress": progress_document(job.progress) if job.HasField("progress") else None,
        "attempts": job.attempt - job.attempts_forgiven,
        **retry_document(spec),
        "timeout": duration(spec.timeout_us) if spec.timeout_us else None,
        "created_at": moment(spec.created_at_us),
        "scheduled_at": moment(spec.scheduled_at_us),
        "expires_at": moment(spec.expires_at_us),
        "ready_at": moment(job.ready_at_us),
        "due_at": moment(job.due_at_us),
        "started_at": moment(job.started_at_us),
        "finished_at": moment(job.finished_at_us),
        "worker": job.worker or None,
        "cancel_requested": job.cancel_requested,
        "idempotency_key": spec.idempotency_key or None,
        "unique_key": spec.unique_key or None,
        "tags": list(spec.tags),
        "metadata": dict(spec.metadata),
    }


def full_job_document(job: v1.Job) -> dict[str, Any]:
    """With the history, oldest attempt first."""
    return job_document(job) | {"history": [_attempt(attempt) for attempt in job.history.attempts]}


def _json(data: bytes) -> orjson.Fragment | None:
    return orjson.Fragment(data) if data else None


def retry_document(spec: v1.JobSpec) -> dict[str, Any]:
    """What a job says of its retries; null where it leaves that to its queue."""
    policy = spec.retry if spec.HasField("retry") else _NO_RETRY
    return {
        "max_retries": policy.max_retries if policy.HasField("max_retries") else None,
        "retry_strategy": STRATEGY_NAMES.get(policy.strategy),
        "retry_delay": duration(policy.delay_us) if policy.HasField("delay_us") else None,
        "max_retry_delay": duration(policy.max_delay_us) if policy.HasField("max_delay_us") else None,
        "retry_jitter": round(policy.jitter, _DECIMALS) if policy.HasField("jitter") else None,
    }


def progress_document(progress: v1.Progress) -> dict[str, Any]:
    return {
        "percent": round(progress.percent, _DECIMALS),
        "message": progress.message or None,
        "updated_at": moment(progress.at_us),
    }


def _attempt(attempt: v1.Attempt) -> dict[str, Any]:
    return {
        "attempt": attempt.attempt,
        "worker": attempt.worker or None,
        "started_at": moment(attempt.started_at_us),
        "finished_at": moment(attempt.finished_at_us),
        "outcome": _OUTCOMES[attempt.outcome],
        "error": _error_of(attempt),
    }


def _error_of(attempt: v1.Attempt) -> dict[str, Any] | None:
    return error_document(attempt.error) if attempt.HasField("error") else None


def error_document(error: v1.JobError) -> dict[str, Any]:
    return {"type": error.type, "message": error.message, "traceback": error.traceback or None}
