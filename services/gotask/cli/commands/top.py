"""``gotask top``: all queues and workers, live."""

from typing import TYPE_CHECKING, Annotated

import typer

from gotask.cli.commands.command import command
from gotask.cli.commands.options import duration_option

if TYPE_CHECKING:
    from gotask.cli.commands.session import Session


def add_top(app: typer.Typer) -> None:
    """Adds it to *app*."""
    command(app, "top")(top)


async def top(
    session: "Session",
    every: Annotated[str, duration_option("How often to look.")] = "1s",
    once: Annotated[bool, typer.Option("--once", help="Look once, and end.")] = False,
) -> None:
    """Shows queues and workers, live; Ctrl-C ends it."""
    from gotask.cli.commands.topping import follow, look

    await (look(session) if once or session.out.json else follow(session, every))
