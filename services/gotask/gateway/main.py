"""The gateway as a process."""

from collections.abc import Sequence

from gotask.gateway.service import GatewayService
from gotask.gateway.settings import GatewaySettings
from gotask.service.clock import SystemClock
from gotask.service.storage import run_storage_service


def main(args: Sequence[str]) -> int:
    """Runs until it is told to stop; the exit code."""
    return run_storage_service(
        GatewayService.name,
        GatewaySettings,
        args,
        lambda settings, bus, storage, telemetry: GatewayService(settings, bus, storage, SystemClock(), telemetry),
    )
