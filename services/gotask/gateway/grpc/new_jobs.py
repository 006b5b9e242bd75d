"""Jobs as gRPC clients write them."""

from gotask import v1
from gotask.jobs.durations import MAX_US
from gotask.jobs.ids import new_id
from gotask.jobs.limits import DEFAULT_QUEUE
from gotask.jobs.validation import InvalidJob, check_spec


def spec_of(wanted: v1.NewJob, now_us: int, max_payload_bytes: int) -> v1.JobSpec:
    """The job to submit: *wanted*'s own spec, completed. InvalidJob names the first field that is wrong."""
    spec = wanted.spec
    if spec.schedule_id:
        raise InvalidJob("schedule_id", "is for schedules to set")
    if not spec.id:
        spec.id = new_id()
    if not spec.queue:
        spec.queue = DEFAULT_QUEUE
    spec.created_at_us = now_us
    if wanted.delay_us:
        spec.scheduled_at_us = _from_now("delay_us", wanted.delay_us, spec.scheduled_at_us, now_us)
    if wanted.HasField("ttl_us"):
        spec.expires_at_us = _from_now("ttl_us", wanted.ttl_us, spec.expires_at_us, now_us)
    check_spec(spec, max_payload_bytes)
    return spec


def _from_now(field: str, after_us: int, at_us: int, now_us: int) -> int:
    if at_us:
        raise InvalidJob(field, "give the moment or the time from now, not both")
    if after_us > MAX_US:
        raise InvalidJob(field, "is longer than ten years")
    return now_us + after_us
