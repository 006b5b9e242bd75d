"""The queue-manager's settings."""

from pydantic import Field

from gotask.jobs import limits
from gotask.service.settings import Seconds, StorageSettings


class QueueManagerSettings(StorageSettings):
    """Settings of one queue-manager."""

    create_queues: bool = True
    """Whether a queue is created by the first job that names it."""
    max_payload_bytes: int = Field(limits.MAX_PAYLOAD_BYTES, ge=1)
    """The most bytes of a job's payload, as JSON. Gateways and schedulers have the same setting."""
    first_lease: Seconds = 10.0
    """How long a claimed job may take to show up in its worker's heartbeat. No queue may have a shorter lease."""
    claim_poll: Seconds = 0.5
    """How often waiting claims are tried although nothing woke them: covers lost hints and refilled rate limits."""
    lease_scan: Seconds = 1.0
    """How often leases that are over are looked for."""
    prune_every: Seconds = 5.0
    """How often finished jobs past their retention are looked for."""
    queue_refresh: Seconds = 1.0
    """How often the queues' settings are read anew."""
    worker_ttl: Seconds = 15.0
    """How long a worker is listed after its last heartbeat."""
