"""What ``gotask up`` was asked for."""

from dataclasses import dataclass
from pathlib import Path

from gotask.embedded import free_port

_EXAMPLES = "default,critical,notifications,reports,maintenance"


@dataclass(frozen=True)
class UpOptions:
    """Addresses that are not empty name running servers: these are not started. A port of 0 means any that is free.

    A PostgreSQL that is named by its host is found by the other GOTASK_POSTGRES_… variables.
    """

    storage: str = "redis"
    data: Path = Path(".gotask")
    nats_url: str = ""
    redis_addr: str = ""
    postgres_dsn: str = ""
    postgres_host: str = ""
    nats_port: int = 4222
    redis_port: int = 6379
    postgres_port: int = 5432
    http_port: int = 8080
    grpc_port: int | None = None
    """50051, or any that is free, if not given."""
    metrics_port: int = 9464
    dashboard_port: int | None = None
    """3000, or any that is free, if not given."""
    workers: int = 1
    queue_managers: int = 1
    worker_app: str = ""
    queues: str = ""
    """What the workers serve, separated by commas."""
    concurrency: int = 50

    @property
    def worker_queues(self) -> str:
        """What the workers are told to serve; empty when that is left to the handlers of an app."""
        return self.queues or ("" if self.worker_app else _EXAMPLES)


def port_or_free(port: int) -> int:
    """The port itself, or a free one for 0."""
    return port or free_port()
