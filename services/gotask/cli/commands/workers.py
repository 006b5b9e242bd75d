"""``gotask workers``: who runs jobs."""

from typing import TYPE_CHECKING

import typer

from gotask.cli.commands.command import command

if TYPE_CHECKING:
    from gotask.cli.commands.session import Session


def add_workers(app: typer.Typer) -> None:
    """Adds it to *app*."""
    command(app, "workers")(workers)


async def workers(session: "Session") -> None:
    """Lists the live workers, and what they run."""
    from gotask.cli.commands.views import worker_table
    from gotask.gateway.rest.worker_document import worker_document

    found = await session.client.workers()
    session.out.show(
        lambda: {"items": [worker_document(each.message) for each in found], "next_cursor": None},
        lambda: worker_table(found),
    )
