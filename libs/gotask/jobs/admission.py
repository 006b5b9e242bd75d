"""What a job takes from its queue when it is stored."""

from gotask import v1
from gotask.jobs.limits import DEFAULT_PRIORITY


class Defaults:
    """A queue's timeout and retry policy, ready to be given to any number of jobs."""

    def __init__(self, queue: v1.Queue) -> None:
        self._timeout_us = queue.timeout_us
        self._retry = queue.retry
        self._both = v1.JobSpec(timeout_us=queue.timeout_us, retry=queue.retry).SerializeToString()

    def fill_in(self, spec: v1.JobSpec, now_us: int) -> None:
        """Completes *spec* with what it does not say itself, its priority and its creation time among it."""
        if not spec.HasField("priority"):
            spec.priority = DEFAULT_PRIORITY
        if not spec.created_at_us:
            spec.created_at_us = now_us
        if spec.HasField("retry"):
            complete = v1.RetryPolicy()
            complete.CopyFrom(self._retry)
            complete.MergeFrom(spec.retry)
            spec.retry.CopyFrom(complete)
            spec.timeout_us = spec.timeout_us or self._timeout_us
        elif spec.timeout_us:
            spec.retry.CopyFrom(self._retry)
        else:
            spec.MergeFromString(self._both)
