"""Which jobs a listing shows."""

from gotask import v1
from gotask.storage.contract import JobFilter


def criteria_of(request: v1.ListJobsRequest) -> JobFilter:
    """What a request asks for, but for the page."""
    return JobFilter(
        states=frozenset(request.states),
        queue=request.queue,
        type=request.type,
        tag=request.tag,
        created_from_us=request.created_from_us,
        created_before_us=request.created_before_us,
    )


def matches(criteria: JobFilter, spec: v1.JobSpec, state: v1.JobState.ValueType) -> bool:
    """Whether a job meets every criterion that is given."""
    return (
        (not criteria.states or state in criteria.states)
        and (not criteria.queue or spec.queue == criteria.queue)
        and (not criteria.type or spec.type == criteria.type)
        and (not criteria.tag or criteria.tag in spec.tags)
        and (not criteria.created_from_us or spec.created_at_us >= criteria.created_from_us)
        and (not criteria.created_before_us or spec.created_at_us < criteria.created_before_us)
    )
