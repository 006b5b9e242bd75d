"""The worker as a process."""

import itertools
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence

from gotask.bus.bus import Bus
from gotask.sdk.app import App
from gotask.sdk.loading import AppNotFound, AppsConflict, load_apps
from gotask.service.clock import SystemClock
from gotask.service.service import STOP_SIGNALS, Service, run_service
from gotask.service.settings import InvalidSettings
from gotask.service.telemetry import Telemetry
from gotask.worker.builtin import builtin_app
from gotask.worker.execution import THREAD_PREFIX
from gotask.worker.fleet.fleet import HURRY, WRONG_SETTING
from gotask.worker.interpreter import end_with_parent
from gotask.worker.service import WorkerService
from gotask.worker.settings import WorkerSettings

_LAST_CHANCE_S = 1.0


def main(args: Sequence[str]) -> int:
    """Runs until it is told to stop; the exit code.

    The first arguments may name apps, as module:attribute; without one the built-in handlers run.
    """
    _, flags = _split(args)
    try:
        settings = WorkerSettings.load(flags)
        settings.check()
    except InvalidSettings as error:
        return _refuse(error)
    if settings.processes > 1 or settings.reload:
        from gotask.worker.fleet.run import run_fleet

        return run_fleet(settings, args)
    return _run(args, WorkerSettings.check, STOP_SIGNALS)


def run_member(args: Sequence[str]) -> int:
    """The same as one process of several. The first arguments are its number and its parent's process id."""
    index, parent, *rest = args

    def prepare(settings: WorkerSettings) -> None:
        settings.check()
        settings.become_member(int(index))

    end_with_parent(int(parent), signal.SIGTERM)
    return _run(rest, prepare, [HURRY])


def _run(args: Sequence[str], prepare: Callable[[WorkerSettings], None], hurry_on: Sequence[signal.Signals]) -> int:
    places, flags = _split(args)

    async def build(settings: WorkerSettings, bus: Bus, telemetry: Telemetry) -> Service:
        return WorkerService(settings, bus, app or builtin_app(settings), SystemClock(), telemetry)

    app: App | None = None
    try:
        app = load_apps(places) if places else None
    except (AppNotFound, AppsConflict) as error:
        return _refuse(error)
    code = run_service(WorkerService.name, WorkerSettings, flags, build, prepare, hurry_on)
    _leave_threads_behind(code)
    return code


def _split(args: Sequence[str]) -> tuple[list[str], list[str]]:
    """The places of apps, and the flags."""
    places = list(itertools.takewhile(lambda argument: not argument.startswith("-"), args))
    return places, list(args[len(places) :])


def _refuse(error: Exception) -> int:
    sys.stderr.write(f"gotask worker: {error}\n")
    return WRONG_SETTING


def _leave_threads_behind(code: int) -> None:
    """A handler in a thread that ignores its cancellation would keep the interpreter from ending."""
    threads = [thread for thread in threading.enumerate() if thread.name.startswith(THREAD_PREFIX)]
    for thread in threads:
        thread.join(_LAST_CHANCE_S / len(threads))
    if any(thread.is_alive() for thread in threads):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
