"""The scheduler as a process."""

from collections.abc import Sequence

from gotask.scheduler.service import SchedulerService
from gotask.scheduler.settings import SchedulerSettings
from gotask.service.clock import SystemClock
from gotask.service.storage import run_storage_service


def main(args: Sequence[str]) -> int:
    """Runs until it is told to stop; the exit code."""
    return run_storage_service(
        SchedulerService.name,
        SchedulerSettings,
        args,
        lambda settings, bus, storage, _telemetry: SchedulerService(settings, bus, storage, SystemClock()),
    )
