"""One stack that all these tests look at: every job traced, every secret a canary, logs as in a container."""

from collections.abc import Iterator

import pytest

from tests.support.otlp import OtlpReceiver, otlp_receiver
from tests.support.stack import Stack

CANARY = "canary-that-nobody-may-see"
WORKER = ["tests.observability.handlers:app", "--queues", "default,critical", "--concurrency", "20"]


@pytest.fixture(scope="session")
def receiver() -> Iterator[OtlpReceiver]:
    with otlp_receiver() as running:
        yield running


@pytest.fixture(scope="session")
def seen(tmp_path_factory: pytest.TempPathFactory, receiver: OtlpReceiver) -> Iterator[Stack]:
    """A stack that sends its traces to the receiver."""
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.address,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "GOTASK_LOG_FORMAT": "json",
        "GOTASK_SMTP_PASSWORD": CANARY,
        "GOTASK_NATS_PASSWORD": CANARY,
        "GOTASK_NATS_USER": "gotask",
        "GOTASK_METRICS_REFRESH": "200ms",
        "GOTASK_METRICS_SAVE": "200ms",
        "GOTASK_WORKER_TTL": "2s",
    }
    running = Stack(tmp_path_factory.mktemp("seen"), WORKER, environment)
    try:
        running.start()
        yield running
    finally:
        running.kill()
