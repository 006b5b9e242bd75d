"""The parent of a fleet, as a process."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from gotask.service.service import hurry_on_second_signal, run_process
from gotask.worker.fleet.changes import Changes
from gotask.worker.fleet.fleet import Fleet
from gotask.worker.fleet.member import Member
from gotask.worker.fleet.reloading import ReloadingFleet
from gotask.worker.interpreter import python_command
from gotask.worker.settings import WorkerSettings

_PAUSES_S = (0.2, 1.0, 2.0, 5.0, 10.0)
_EXTRA_PATIENCE_S = 5.0


def run_fleet(settings: WorkerSettings, arguments: Sequence[str]) -> int:
    """Runs ``settings.processes`` workers, each with the same command-line *arguments*; the exit code."""

    def fleet(pauses_s: Sequence[float]) -> Fleet:
        members = [_member(index, arguments) for index in range(settings.processes)]
        return Fleet(members, pauses_s, settings.stop_timeout + _EXTRA_PATIENCE_S)

    async def main(stop: asyncio.Event) -> int:
        runner: Fleet | ReloadingFleet
        if settings.reload:
            runner = ReloadingFleet(lambda: fleet(()), Changes([Path(folder) for folder in settings.reload_dirs]))
        else:
            runner = fleet(_PAUSES_S)
        hurry_on_second_signal(stop, runner.hurry)
        return await runner.run(stop)

    return run_process("worker", settings, main)


def _member(index: int, arguments: Sequence[str]) -> Member:
    place = [str(index), str(os.getpid())]
    return Member(f"worker-{index + 1}", python_command("gotask.worker.main", "run_member", [*place, *arguments]))
