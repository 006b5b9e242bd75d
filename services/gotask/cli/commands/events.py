"""``gotask events``: what happens to jobs."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gotask.cli.commands.command import command

if TYPE_CHECKING:
    from gotask.cli.commands.session import Session
    from gotask.sdk.client.event import JobEvent


def add_events(app: typer.Typer) -> None:
    """Adds it to *app*."""
    command(app, "events")(events)


async def events(
    session: "Session",
    queue: Annotated[list[str] | None, typer.Option(help="Of this queue; may be repeated.")] = None,
    kind: Annotated[
        list[str] | None, typer.Option(help="Of this kind: created, started, succeeded ...; may be repeated.")
    ] = None,
    cursor: Annotated[str, typer.Option(help="Go on after the event with this cursor; from now on, if empty.")] = "",
    limit: Annotated[int, typer.Option(min=0, help="End after so many; 0 is never.")] = 0,
) -> None:
    """Prints what happens to jobs, as it happens; Ctrl-C ends it."""
    from gotask.cli.commands.views import event_line

    seen = 0
    async for event in session.client.events(queues=queue or (), kinds=kind or (), cursor=cursor):
        if event.gap:
            session.out.note("events before this one are kept no longer")
        session.out.each(partial(_document, event), partial(event_line, event))
        seen += 1
        if seen == limit:
            return


def _document(event: "JobEvent") -> dict[str, Any]:
    from gotask.gateway.rest.event_document import event_document

    return {**event_document(event.message), "cursor": event.cursor}
