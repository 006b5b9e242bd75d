"""A job of a row."""

from typing import Any

from gotask import v1
from gotask.storage.postgres.text import original


def job_of(row: Any) -> v1.Job:
    """The job of a row of the function ``get_jobs``."""
    (
        _,
        spec,
        state,
        attempt,
        forgiven,
        ready_at_us,
        due_at_us,
        lease_until_us,
        worker,
        started_at_us,
        finished_at_us,
        cancel_requested,
        progress,
        result,
        history,
    ) = row
    job = v1.Job(
        state=state,
        attempt=attempt,
        attempts_forgiven=forgiven,
        ready_at_us=ready_at_us,
        due_at_us=due_at_us or 0,
        lease_until_us=lease_until_us or 0,
        worker=original(worker or ""),
        started_at_us=started_at_us or 0,
        finished_at_us=finished_at_us or 0,
        result=result or b"",
        cancel_requested=cancel_requested,
    )
    job.spec.ParseFromString(spec)
    if history:
        job.history.ParseFromString(history)
    if progress:
        job.progress.ParseFromString(progress)
    return job
