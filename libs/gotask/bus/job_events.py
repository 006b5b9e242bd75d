"""Events of single jobs, taken out of the batches that they are published in."""

from collections.abc import Iterator

from gotask import v1
from gotask.jobs.states import CANCELLED, DEAD, EXPIRED, FAILED, PENDING, RETRYING, SUCCESS

ENDINGS = frozenset(
    {
        v1.EVENT_KIND_SUCCEEDED,
        v1.EVENT_KIND_FAILED,
        v1.EVENT_KIND_DEAD,
        v1.EVENT_KIND_CANCELLED,
        v1.EVENT_KIND_EXPIRED,
        v1.EVENT_KIND_DELETED,
    }
)
"""After these a job does not go on by itself."""

KIND_OF_STATE = {
    SUCCESS: v1.EVENT_KIND_SUCCEEDED,
    RETRYING: v1.EVENT_KIND_RETRYING,
    PENDING: v1.EVENT_KIND_RETURNED,
    FAILED: v1.EVENT_KIND_FAILED,
    DEAD: v1.EVENT_KIND_DEAD,
    CANCELLED: v1.EVENT_KIND_CANCELLED,
    EXPIRED: v1.EVENT_KIND_EXPIRED,
}
"""The event that tells of an attempt's end, by the state it left the job in."""


def job_event(batch: v1.EventBatch, index: int) -> v1.JobEvent:
    """What *batch* tells of its job at *index*."""
    event = v1.JobEvent(
        kind=batch.kind,
        job_id=batch.job_ids[index],
        queue=batch.queue,
        type=batch.type,
        worker=batch.worker,
        at_us=batch.at_us,
    )
    if batch.attempts:
        event.attempt = batch.attempts[index]
    if batch.wait_us:
        event.wait_us = batch.wait_us[index]
    if batch.run_us:
        event.run_us = batch.run_us[index]
    if batch.errors:
        event.error.CopyFrom(batch.errors[index])
    if batch.progress:
        event.progress.CopyFrom(batch.progress[index])
    return event


def job_events(batch: v1.EventBatch) -> Iterator[v1.JobEvent]:
    """One for each job of *batch*."""
    return (job_event(batch, index) for index in range(len(batch.job_ids)))
