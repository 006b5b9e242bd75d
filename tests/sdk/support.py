"""A context for handlers that are called by hand."""

from gotask import v1
from gotask.sdk import JobContext


def context(job_id: str = "j") -> JobContext:
    return JobContext(v1.JobSpec(id=job_id, type="t", queue="q"), 1, 0, lambda _job_id, _progress: None)
