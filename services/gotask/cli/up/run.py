"""Runs all of it until somebody says stop."""

import asyncio
import sys
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvloop
from rich.console import Console
from rich.table import Table

from gotask.cli.up.children import Write
from gotask.cli.up.lock import InUse, locked
from gotask.cli.up.options import UpOptions
from gotask.cli.up.plan import Plan, PortTaken, make_plan
from gotask.cli.up.supervisor import NotReady, Supervisor
from gotask.embedded import BinaryNotFound
from gotask.service.addresses import without_credentials
from gotask.service.garbage import collect_seldom
from gotask.service.logging import configure_logging
from gotask.service.service import stop_on_signals

_COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "bright_cyan", "bright_green", "bright_magenta")


def run_up(options: UpOptions) -> int:
    """``gotask up``: the exit code."""
    console = Console(stderr=False, highlight=False)
    try:
        with locked(options.data):
            return uvloop.run(_up(options, console))
    except (InUse, PortTaken, NotReady, BinaryNotFound) as error:
        sys.stderr.write(f"gotask up: {error}\n")
        return 1


async def _up(options: UpOptions, console: Console) -> int:
    stop = stop_on_signals()
    plan = make_plan(options)
    async with running(options, plan, prefixed(console), stop):
        if not stop.is_set():
            console.print(address_table(plan))
            console.print("[bold]GoTask is up.[/bold] Ctrl-C stops everything.")
        await stop.wait()
        console.print("stopping ...")
    return 0


@asynccontextmanager
async def running(options: UpOptions, plan: Plan, write: Write, stop: asyncio.Event) -> AsyncIterator[None]:
    """Everything of *plan*, ready; stopped in order at the end. A second signal kills the children."""
    supervisor = Supervisor(plan.groups, write)
    try:
        starting = asyncio.create_task(supervisor.start())
        await _either(starting, stop)
        if options.storage == "memory" and not stop.is_set():
            from gotask.cli.up.standalone import Standalone

            configure_logging("standalone", "info", "console")
            collect_seldom()
            services = await Standalone.build(options, plan.environment)
            await services.start()
            try:
                yield
            finally:
                await services.stop()
        else:
            yield
    finally:
        stop.clear()
        stopping = asyncio.create_task(supervisor.stop())
        await _either(stopping, stop)
        if not stopping.done():
            supervisor.kill()


async def _either(task: asyncio.Task[None], stop: asyncio.Event) -> None:
    """Waits for *task*, or until *stop* is set; raises what the task raised."""
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if task.done():
        task.result()


def prefixed(console: Console) -> Write:
    """Writes lines under their child's name, each child in a colour of its own."""

    def write(name: str, line: str) -> None:
        colour = _COLOURS[zlib.crc32(name.encode()) % len(_COLOURS)]
        console.print(f"[{colour}]{name:>15}[/{colour}] │ ", end="")
        console.print(line, markup=False, soft_wrap=True)

    return write


def address_table(plan: Plan) -> Table:
    table = Table(show_header=False, box=None)
    for name, address in plan.addresses.items():
        table.add_row(f"[bold]{name}[/bold]", without_credentials(address))
    return table
