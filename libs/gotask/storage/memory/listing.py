"""Which jobs a listing shows."""

from gotask.storage.contract import JobFilter
from gotask.storage.memory.records import JobRecord


def matches(record: JobRecord, criteria: JobFilter) -> bool:
    """Whether the job meets every criterion that is given."""
    spec = record.spec
    return (
        (not criteria.states or record.state in criteria.states)
        and (not criteria.queue or spec.queue == criteria.queue)
        and (not criteria.type or spec.type == criteria.type)
        and (not criteria.tag or criteria.tag in spec.tags)
        and (not criteria.created_from_us or spec.created_at_us >= criteria.created_from_us)
        and (not criteria.created_before_us or spec.created_at_us < criteria.created_before_us)
    )
