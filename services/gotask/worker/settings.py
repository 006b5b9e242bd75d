"""The worker's settings."""

import os
import secrets
import socket

from pydantic import Field, field_validator

from gotask.jobs.validation import InvalidJob, check_queue
from gotask.service.processors import processors
from gotask.service.settings import Bytes, InvalidSettings, Names, Seconds, ServiceSettings


def _default_id() -> str:
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"


class WorkerSettings(ServiceSettings):
    """Settings of one worker process."""

    worker_id: str = Field(default_factory=_default_id, min_length=1, max_length=128)
    """Must be unique in the fleet. The host's name, the process id and something random, if not given."""
    queues: Names = Field(default_factory=list)
    """Names of the queues it serves, separated by commas; ``default`` and those that its handlers name, if empty."""
    concurrency: int = Field(default_factory=lambda: max(8, 4 * processors()), ge=1, le=5_000)
    """Jobs it runs at once; four per processor, and at least eight, if not given."""
    heartbeat: Seconds = 3.0
    """How often it tells that its jobs are alive; must be well below the first lease of ten seconds."""
    claim_wait: Seconds = 20.0
    """How long a claim waits for work before it is made anew."""
    grace: Seconds = 25.0
    """How long running jobs may go on after a stop was asked for; then they are handed back."""
    processes: int = Field(1, ge=1, le=256)
    """Worker processes under one parent, which restarts one that dies. Each runs *concurrency* jobs, and has the
    worker's id and health port with its number added to it, counted from 1 and from 0."""
    reload: bool = False
    """For development: start anew when code changes; running jobs finish first."""
    reload_dirs: Names = Field(default_factory=lambda: ["."])
    """Folders in which .py files are watched for that, separated by commas."""
    pool_size: int = Field(default_factory=processors, ge=1, le=1_000)
    """Handlers with process=True that run at once; one per processor, if not given. More jobs than that wait in the
    worker, and their time-out does not begin before they run."""
    pool_memory_limit: Bytes = 0
    """A process of the pool that has used more memory than this, such as 512MB, is replaced after its job. 0: never."""
    pool_max_jobs: int = Field(0, ge=0)
    """A process of the pool is replaced after that many jobs. 0: never."""
    pool_patience: Seconds = 1.0
    """How long a handler that is to end may tidy up until its process is killed."""
    smtp_host: str = ""
    """Server through which the built-in email job sends."""
    smtp_port: int = Field(587, ge=1, le=65535)
    """Its port."""
    smtp_user: str = ""
    """Who we are there; nobody, if empty."""
    smtp_password: str = Field("", repr=False)
    """Of that user."""
    smtp_from: str = "gotask@localhost"
    """Sender of the messages."""
    smtp_tls: bool = True
    """Whether the connection to it is upgraded by STARTTLS."""

    @field_validator("queues")
    @classmethod
    def _check_names(cls, value: list[str]) -> list[str]:
        for name in value:
            try:
                check_queue(name)
            except InvalidJob as error:
                raise ValueError(f"{name!r}: {error.reason}") from None
        return list(dict.fromkeys(value))

    def check(self) -> None:
        """InvalidSettings for those that do not go together."""
        if self.stop_timeout <= self.grace:
            raise InvalidSettings("GOTASK_STOP_TIMEOUT: must be longer than GOTASK_GRACE")

    def become_member(self, index: int) -> None:
        """Takes what is this process's own among *processes*; *index* counts from 0."""
        self.worker_id = f"{self.worker_id}-{index + 1}" if "worker_id" in self.model_fields_set else self.worker_id
        self.health_port += index if self.health_port else 0
