"""``gotask dead``: jobs with no attempt left."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gotask.cli.commands.command import command
from gotask.cli.commands.options import DEAD, QueueName

if TYPE_CHECKING:
    from gotask.cli.commands.session import Session
    from gotask.sdk.client.dead_letters import DeadChanged

app = typer.Typer(help="See to dead letters: jobs with no attempt left.", no_args_is_help=True)


@command(app, "list", DEAD)
async def list_dead(
    session: "Session",
    queue: QueueName,
    limit: Annotated[int, typer.Option(help="How many, 500 at most.")] = 50,
    cursor: Annotated[str, typer.Option(help="Go on where the page before ended.")] = "",
    **criteria: Any,
) -> None:
    """Lists the dead letters of a queue, newest first."""
    from gotask.cli.commands.views import job_table
    from gotask.gateway.rest.job_document import job_document

    page = await session.client.dead.list(queue, limit=limit, cursor=cursor, **criteria)
    session.out.show(
        lambda: {"items": [job_document(job.message) for job in page.items], "next_cursor": page.next_cursor or None},
        lambda: job_table(page.items),
    )
    if page.next_cursor and not session.out.json:
        session.out.note(f"more: --cursor {page.next_cursor}")


@command(app, "retry", DEAD)
async def retry(
    session: "Session",
    queue: QueueName,
    job_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID...]", help="These only; all that match, if none is given.")
    ] = None,
    **criteria: Any,
) -> None:
    """Runs dead letters anew, with all their attempts before them."""
    _tell(session, "retried", await session.client.dead.retry(queue, job_ids or (), **criteria))


@command(app, "purge", DEAD)
async def purge(session: "Session", queue: QueueName, **criteria: Any) -> None:
    """Forgets the dead letters of a queue that match, or all."""
    _tell(session, "purged", await session.client.dead.purge(queue, **criteria))


def _tell(session: "Session", verb: str, changed: "DeadChanged") -> None:
    session.out.show(
        lambda: {verb: changed.count, "complete": changed.complete}, lambda: f"{changed.count} dead letters are {verb}"
    )
    if not changed.complete and not session.out.json:
        session.out.note("there may be more: say it again")
