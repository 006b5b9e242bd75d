"""The metrics service as a process."""

from collections.abc import Sequence

from gotask.metrics.service import MetricsService
from gotask.metrics.settings import MetricsSettings
from gotask.service.clock import SystemClock
from gotask.service.storage import run_storage_service


def main(args: Sequence[str]) -> int:
    """Runs until it is told to stop; the exit code."""
    return run_storage_service(
        MetricsService.name,
        MetricsSettings,
        args,
        lambda settings, bus, storage, _telemetry: MetricsService(settings, bus, storage, SystemClock()),
    )
