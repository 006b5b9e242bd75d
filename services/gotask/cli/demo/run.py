"""Runs the demo."""

import sys
from pathlib import Path

import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from gotask.cli.demo.rest import Job, Rest
from gotask.cli.demo.scenario import Group, groups, run
from gotask.cli.up.lock import InUse, locked
from gotask.cli.up.options import UpOptions
from gotask.cli.up.plan import PortTaken, make_plan
from gotask.cli.up.run import address_table, running
from gotask.cli.up.supervisor import NotReady
from gotask.embedded import BinaryNotFound
from gotask.service.service import stop_on_signals


def run_demo(data: Path, *, once: bool) -> int:
    """The exit code: 1 when something did not end as it should."""
    console = Console(highlight=False)
    try:
        with locked(data):
            return uvloop.run(_demo(data, console, once=once))
    except (InUse, PortTaken, NotReady, BinaryNotFound) as error:
        sys.stderr.write(f"gotask demo: {error}\n")
        return 1


async def _demo(data: Path, console: Console, *, once: bool) -> int:
    stop = stop_on_signals()
    plan = make_plan(UpOptions(data=data), strict_ports=False)
    console.print(f"starting NATS, Valkey and five services (their logs: {data / 'log'}) ...")
    with (data / "log").open("w") as log:

        def write(name: str, line: str) -> None:
            log.write(f"{name:>15} | {line}\n")

        async with running(UpOptions(data=data), plan, write, stop):
            if stop.is_set():
                return 1
            problems = await _show(Rest(plan.addresses["REST"]), console)
            console.print(address_table(plan))
            for problem in problems:
                console.print(f"[red]not as it should be:[/red] {problem}")
            if not once:
                console.print("GoTask stays up: try the addresses above. Ctrl-C stops everything.")
                await stop.wait()
    return 1 if problems else 0


async def _show(rest: Rest, console: Console) -> list[str]:
    """Runs the scenario under a live display; what did not end as it should."""
    demo = groups()
    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bars = [progress.add_task(group.title, total=len(group.jobs)) for group in demo]

        def show() -> None:
            for bar, group in zip(bars, demo, strict=True):
                progress.update(bar, completed=group.done)

        await run(rest, demo, show)
    console.print(_results(demo))
    stats = await rest.stats("default")
    console.print(f"queue default: {stats['completed_jobs']} completed, {stats['failed_jobs']} failed")
    return [problem for group in demo for problem in group.problems]


def _results(demo: list[Group]) -> Table:
    table = Table("jobs", "status", "result", "attempts", title="Results")
    for group in demo:
        if len(group.submitted) == 1:
            table.add_row(group.title, *_row(group.submitted[0]))
        else:
            ended = sum(job["status"] == "success" for job in group.submitted)
            table.add_row(group.title, f"{ended} success", f"within {group.seconds:.1f} s", "")
    return table


def _row(job: Job) -> tuple[str, str, str]:
    result = job["error"]["message"] if job["error"] and job["status"] != "success" else str(job["result"])
    return job["status"], result, str(job["attempts"])
