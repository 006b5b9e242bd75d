"""The gateway's settings."""

from pydantic import Field

from gotask.jobs import limits
from gotask.service.settings import Port, Seconds, StorageSettings


class GatewaySettings(StorageSettings):
    """Settings of one gateway."""

    http_addr: str = "127.0.0.1"
    """Address that the REST API listens on."""
    http_port: Port = 8080
    max_payload_bytes: int = Field(limits.MAX_PAYLOAD_BYTES, ge=1)
    """The most bytes of a job's payload, as JSON. Queue-managers have the same setting."""
    max_body_bytes: int = Field(1 << 20, ge=1024)
    """The most bytes of a request's body, but for batches."""
    max_batch_body_bytes: int = Field(8 << 20, ge=1024)
    """The most bytes of the body of POST /jobs/batch."""
    publish_timeout: Seconds = 5.0
    """How long the broker may take to store a submission; then it is answered 503."""
    submit_reply_timeout: Seconds = 2.0
    """How long a queue-manager may take to apply a submission that the broker has stored; then it is answered 202."""
    command_timeout: Seconds = 5.0
    """How long a queue-manager may take to answer a command; then it is answered 503."""
