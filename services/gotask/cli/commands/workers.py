"""``gotask workers``: who runs jobs; take workers out of service, and back."""

from typing import TYPE_CHECKING

import typer

from gotask.cli.commands.command import command
from gotask.cli.commands.options import WorkerId, WorkerIds

if TYPE_CHECKING:
    from gotask.cli.commands.session import Session
    from gotask.sdk.client.worker import Worker

app = typer.Typer(help="See who runs jobs; take workers out of service, and back.", no_args_is_help=True)


@command(app, "list")
async def list_workers(session: "Session") -> None:
    """Lists the workers that were heard of lately, and what they run."""
    from gotask.cli.commands.views import worker_table
    from gotask.gateway.rest.worker_document import worker_document

    found = await session.client.workers.list()
    session.out.show(
        lambda: {"items": [worker_document(each.message) for each in found], "next_cursor": None},
        lambda: worker_table(found),
    )


@command(app, "get")
async def get(session: "Session", worker_id: WorkerId) -> None:
    """Shows a worker."""
    _show(session, await session.client.workers.get(worker_id))


@command(app, "drain")
async def drain(session: "Session", worker_ids: WorkerIds) -> None:
    """They claim nothing more, finish what they have, and go on living."""
    for worker_id in worker_ids:
        _show(session, await session.client.workers.drain(worker_id))


@command(app, "resume")
async def resume(session: "Session", worker_ids: WorkerIds) -> None:
    """Workers that drain claim again."""
    for worker_id in worker_ids:
        _show(session, await session.client.workers.resume(worker_id))


def _show(session: "Session", worker: "Worker") -> None:
    from gotask.cli.commands.views import worker_record
    from gotask.gateway.rest.worker_document import worker_document

    session.out.show(lambda: worker_document(worker.message), lambda: worker_record(worker))
