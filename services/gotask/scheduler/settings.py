"""The scheduler's settings."""

from pydantic import Field

from gotask.jobs import limits
from gotask.service.settings import Seconds, StorageSettings


class SchedulerSettings(StorageSettings):
    """Settings of one scheduler."""

    scheduler_poll: Seconds = 0.1
    """The longest it waits before it looks again at what is due: the most by which a job or a schedule can be late that
    was stored meanwhile."""
    missed_after: Seconds = 60.0
    """How late a schedule's tick may be; then it was missed, and the schedule's policy decides. As long, a fire that is
    refused, because its queue is full, is tried again."""
    max_payload_bytes: int = Field(limits.MAX_PAYLOAD_BYTES, ge=1)
    """The most bytes of the payload of a schedule's jobs, as JSON. Gateways, queue-managers have the same setting."""
