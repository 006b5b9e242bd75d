"""The queue-manager as a process."""

from collections.abc import Sequence

from gotask.queue_manager.service import QueueManagerService
from gotask.queue_manager.settings import QueueManagerSettings
from gotask.service.clock import SystemClock
from gotask.service.storage import run_storage_service


def main(args: Sequence[str]) -> int:
    """Runs until it is told to stop; the exit code."""
    return run_storage_service(
        QueueManagerService.name,
        QueueManagerSettings,
        args,
        lambda settings, bus, storage, telemetry: QueueManagerService(settings, bus, storage, SystemClock(), telemetry),
    )
