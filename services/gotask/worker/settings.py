"""The worker's settings."""

import os
import secrets
import socket
from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from gotask.jobs.limits import DEFAULT_QUEUE
from gotask.jobs.validation import InvalidJob, check_queue
from gotask.service.settings import Seconds, ServiceSettings


def _default_id() -> str:
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"


class WorkerSettings(ServiceSettings):
    """Settings of one worker process."""

    worker_id: str = Field(default_factory=_default_id, min_length=1, max_length=128)
    """Must be unique in the fleet. The host's name, the process id and something random, if not given."""
    queues: Annotated[list[str], NoDecode] = Field(default_factory=lambda: [DEFAULT_QUEUE])
    """Names of the queues it serves, separated by commas."""
    concurrency: int = Field(default_factory=lambda: max(8, 4 * (os.cpu_count() or 1)), ge=1, le=5_000)
    """Jobs it runs at once; four per processor, and at least eight, if not given."""
    heartbeat: Seconds = 3.0
    """How often it tells that its jobs are alive; must be well below the first lease of ten seconds."""
    claim_wait: Seconds = 20.0
    """How long a claim waits for work before it is made anew."""
    grace: Seconds = 25.0
    """How long running jobs may go on after a stop was asked for; then they are handed back."""
    smtp_host: str = ""
    """Server through which the built-in email job sends."""
    smtp_port: int = Field(587, ge=1, le=65535)
    smtp_user: str = ""
    smtp_password: str = Field("", repr=False)
    smtp_from: str = "gotask@localhost"
    smtp_tls: bool = True
    """Whether the connection to it is upgraded by STARTTLS."""

    @field_validator("queues", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        parts = value if isinstance(value, list) else [value]
        return [name.strip() for part in parts for name in str(part).split(",") if name.strip()]

    @field_validator("queues")
    @classmethod
    def _check_names(cls, value: list[str]) -> list[str]:
        if not value:
            raise ValueError("name at least one queue")
        for name in value:
            try:
                check_queue(name)
            except InvalidJob as error:
                raise ValueError(f"{name!r}: {error.reason}") from None
        return list(dict.fromkeys(value))
