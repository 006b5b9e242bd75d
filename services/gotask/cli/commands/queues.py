"""``gotask queues``: see to queues."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gotask.cli.commands.command import command
from gotask.cli.commands.options import QUEUE, QueueName, QueueNames

if TYPE_CHECKING:
    from gotask.cli.commands.session import Session
    from gotask.sdk.client.queue import Queue

app = typer.Typer(help="See to queues: their limits, and the defaults of their jobs.", no_args_is_help=True)


@command(app, "list")
async def list_queues(session: "Session") -> None:
    """Lists all queues."""
    from gotask.cli.commands.views import queue_table
    from gotask.gateway.rest.queue_document import queue_document

    queues = await session.client.queues.list()
    session.out.show(
        lambda: {"items": [queue_document(each.message) for each in queues], "next_cursor": None},
        lambda: queue_table(queues),
    )


@command(app, "get")
async def get(session: "Session", name: QueueName) -> None:
    """Shows a queue's settings."""
    _show(session, await session.client.queues.get(name))


@command(app, "create", QUEUE)
async def create(session: "Session", name: QueueName, **settings: Any) -> None:
    """Creates a queue; what is not given takes its default."""
    _show(session, await session.client.queues.create(name, **settings))


@command(app, "update", QUEUE)
async def update(session: "Session", name: QueueName, **settings: Any) -> None:
    """Changes the settings that are given; the others stay."""
    if not settings:
        raise typer.BadParameter("give at least one setting to change")
    _show(session, await session.client.queues.update(name, **settings))


@command(app, "delete")
async def delete(session: "Session", names: QueueNames) -> None:
    """Deletes queues in which no job waits or runs, with their finished jobs."""
    for name in names:
        await session.client.queues.delete(name)
        session.out.note(f"queue {name} is deleted")


@command(app, "pause")
async def pause(session: "Session", names: QueueNames) -> None:
    """Starts no more jobs of these queues; running ones go on."""
    for name in names:
        _show(session, await session.client.queues.pause(name))


@command(app, "resume")
async def resume(session: "Session", names: QueueNames) -> None:
    """Ends a pause."""
    for name in names:
        _show(session, await session.client.queues.resume(name))


@command(app, "purge")
async def purge(
    session: "Session",
    name: QueueName,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Cancels the jobs that wait in a queue; running ones go on."""
    if not yes:
        stats = await session.client.queues.stats(name)
        waiting = stats.pending_jobs + stats.scheduled + stats.retrying
        typer.confirm(f"Cancel {waiting} waiting jobs of {name}?", abort=True, err=True)
    purged = await session.client.queues.purge(name)
    session.out.show(
        lambda: {"cancelled": purged.cancelled, "complete": purged.complete},
        lambda: f"{purged.cancelled} jobs are cancelled",
    )
    if not purged.complete and not session.out.json:
        session.out.note("there may be more: say it again")


@command(app, "stats")
async def stats(
    session: "Session",
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME...]", help="All, if none is given.")] = None,
) -> None:
    """Shows how many jobs wait, run, failed ..."""
    import time

    from gotask.cli.commands.views import stats_table
    from gotask.gateway.queues import Stats
    from gotask.gateway.rest.queue_document import stats_document

    queues = session.client.queues
    found = [await queues.stats(name) for name in names] if names else await queues.all_stats()
    now_us = time.time_ns() // 1000
    session.out.show(
        lambda: [stats_document(Stats(each.message, now_us)) for each in found], lambda: stats_table(found)
    )


def _show(session: "Session", queue: "Queue") -> None:
    from gotask.cli.commands.views import queue_record
    from gotask.gateway.rest.queue_document import queue_document

    session.out.show(lambda: queue_document(queue.message), lambda: queue_record(queue))
