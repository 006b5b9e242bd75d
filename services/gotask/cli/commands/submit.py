"""``gotask submit``: one job, or many from a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gotask.cli.commands.command import command
from gotask.cli.commands.options import JOB, duration_option
from gotask.cli.commands.written import fields_as_written

if TYPE_CHECKING:
    from gotask.cli.commands.session import Session


def add_submit(app: typer.Typer) -> None:
    """Adds it to *app*."""
    command(app, "submit", JOB)(submit)


async def submit(
    session: "Session",
    job_type: Annotated[str, typer.Argument(metavar="[TYPE]", help="The handler's name.", show_default=False)] = "",
    payload: Annotated[
        str, typer.Argument(metavar="[PAYLOAD]", help="Its payload as JSON; - reads it from standard input.")
    ] = "null",
    file: Annotated[
        Path | None,
        typer.Option(
            "--file", "-f", help="Submits many: a job as JSON in each line, as REST takes it; - is standard input."
        ),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has ended, and show how.")] = False,
    wait_timeout: Annotated[str, duration_option("How long to wait at most; as long as it takes, if not given.")] = "",
    **options: Any,
) -> int:
    """Submits a job; or many, from a file or standard input.

    Exit code 1 if one was refused or, with --wait, did not end in success; 3 if nobody answered or the queue is full.
    """
    if wait_timeout and not wait:
        raise typer.BadParameter("goes with --wait", param_hint="--wait-timeout")
    if file is not None:
        if job_type or options:
            raise typer.BadParameter("the file has the jobs with all their options: give no other", param_hint="--file")
        from gotask.cli.commands.loading import load

        return await load(session, file, wait=wait, wait_timeout=wait_timeout)
    if not job_type:
        raise typer.BadParameter("give a type, or --file", param_hint="TYPE")
    from gotask.cli.commands.submitting import submit_one

    return await submit_one(
        session, job_type, payload, fields_as_written(options), wait=wait, wait_timeout=wait_timeout
    )
