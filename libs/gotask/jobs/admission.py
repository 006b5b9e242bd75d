"""What a job takes from its queue when it is stored."""

from gotask import v1


def fill_in(spec: v1.JobSpec, queue: v1.Queue, now_us: int) -> None:
    """Completes *spec* with the queue's timeout and retry policy, and its creation time."""
    if not spec.created_at_us:
        spec.created_at_us = now_us
    if not spec.timeout_us:
        spec.timeout_us = queue.timeout_us
    if spec.HasField("retry"):
        complete = v1.RetryPolicy()
        complete.CopyFrom(queue.retry)
        complete.MergeFrom(spec.retry)
        spec.retry.CopyFrom(complete)
    else:
        spec.retry.CopyFrom(queue.retry)
