"""The worker as a process."""

import sys
from collections.abc import Sequence

from gotask.bus.bus import Bus
from gotask.sdk.loading import AppNotFound, load_app
from gotask.service.clock import SystemClock
from gotask.service.service import Service, run_service
from gotask.service.settings import InvalidSettings
from gotask.service.telemetry import Telemetry
from gotask.worker.builtin import builtin_app
from gotask.worker.service import WorkerService
from gotask.worker.settings import WorkerSettings


def main(args: Sequence[str]) -> int:
    """Runs until it is told to stop; the exit code.

    The first argument may name the app, as module:attribute; without one the built-in handlers run.
    """
    place = args[0] if args and not args[0].startswith("-") else ""

    async def build(settings: WorkerSettings, bus: Bus, telemetry: Telemetry) -> Service:
        return WorkerService(settings, bus, app or builtin_app(settings), SystemClock(), telemetry)

    try:
        app = load_app(place) if place else None
    except AppNotFound as error:
        sys.stderr.write(f"gotask worker: {error}\n")
        return 2
    return run_service(WorkerService.name, WorkerSettings, args[bool(place) :], build, check=_check)


def _check(settings: WorkerSettings) -> None:
    if settings.stop_timeout <= settings.grace:
        raise InvalidSettings("GOTASK_STOP_TIMEOUT: must be longer than GOTASK_GRACE")
