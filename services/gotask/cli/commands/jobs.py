"""``gotask jobs``: find, follow and change jobs."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gotask.cli.commands.command import command
from gotask.cli.commands.options import CRITERIA, JobId, JobIds, WaitTimeout

if TYPE_CHECKING:
    from gotask.cli.commands.session import Session
    from gotask.sdk.client.job import Job

app = typer.Typer(help="Find, follow and change jobs.", no_args_is_help=True)


@command(app, "list", CRITERIA)
async def list_jobs(
    session: "Session",
    limit: Annotated[int, typer.Option(help="How many, 500 at most.")] = 50,
    cursor: Annotated[str, typer.Option(help="Go on where the page before ended.")] = "",
    **criteria: Any,
) -> None:
    """Lists jobs, newest first."""
    from gotask.cli.commands.views import job_table
    from gotask.gateway.rest.job_document import job_document

    page = await session.client.list(limit=limit, cursor=cursor, **criteria)
    session.out.show(
        lambda: {"items": [job_document(job.message) for job in page.items], "next_cursor": page.next_cursor or None},
        lambda: job_table(page.items),
    )
    if page.next_cursor and not session.out.json:
        session.out.note(f"more: --cursor {page.next_cursor}")


@command(app, "get")
async def get(session: "Session", job_id: JobId) -> None:
    """Shows a job, with its history."""
    _show(session, await session.client.get(job_id))


@command(app, "wait")
async def wait(session: "Session", job_ids: JobIds, wait_timeout: WaitTimeout = "") -> int:
    """Waits until jobs have ended. Exit code 1 if one did not end in success, 5 if one had not ended in time."""
    from gotask.cli.commands.waiting import wait_for

    return await wait_for(session, job_ids, wait_timeout)


@command(app, "result")
async def result(session: "Session", job_id: JobId, wait_timeout: WaitTimeout = "") -> None:
    """Waits for a job, and prints its result as JSON. Exit code 1 if it did not end in success."""
    import orjson

    session.out.line(orjson.dumps(await session.client.result(job_id, wait_timeout or None)))


@command(app, "watch")
async def watch(session: "Session", job_id: JobId) -> int:
    """Prints what happens to a job, until it has ended. Exit code 1 if it did not end in success."""
    from gotask.cli.commands.exits import Exit
    from gotask.cli.commands.views import event_line, state_line
    from gotask.gateway.rest.event_document import event_document
    from gotask.gateway.rest.job_document import full_job_document
    from gotask.sdk.client.event import JobEvent

    succeeded = False
    async for told in session.client.watch(job_id):
        if isinstance(told, JobEvent):
            session.out.each(partial(event_document, told.message), partial(event_line, told))
        else:
            succeeded = told.succeeded
            session.out.each(partial(full_job_document, told.message), partial(state_line, told))
    return Exit.DONE if succeeded else Exit.REFUSED


@command(app, "cancel")
async def cancel(session: "Session", job_ids: JobIds) -> int:
    """Cancels jobs: waiting ones at once, running ones are told to end."""
    return await _change(session, job_ids, session.client.cancel)


@command(app, "retry")
async def retry(session: "Session", job_ids: JobIds) -> int:
    """Runs jobs anew that failed, are dead, cancelled or expired."""
    return await _change(session, job_ids, session.client.retry)


@command(app, "delete")
async def delete(session: "Session", job_ids: JobIds) -> int:
    """Forgets jobs that have ended."""
    return await _change(session, job_ids, session.client.delete)


async def _change(session: "Session", job_ids: Sequence[str], change: Callable[[str], "Awaitable[Job | None]"]) -> int:
    """Changes each job, shows those that there are then, and tells of those that were refused."""
    from gotask.cli.commands.exits import Exit, exit_of
    from gotask.cli.commands.views import job_table
    from gotask.gateway.rest.job_document import full_job_document
    from gotask.sdk.errors import GoTaskError

    changed: list[Job] = []
    code = Exit.DONE
    for each in await asyncio.gather(*map(change, job_ids), return_exceptions=True):
        if isinstance(each, GoTaskError):
            session.out.note(f"gotask: {each.message}")
            code = max(code, exit_of(each))
        elif isinstance(each, BaseException):
            raise each
        elif each is not None:
            changed.append(each)
    if changed:
        session.out.show(lambda: [full_job_document(job.message) for job in changed], lambda: job_table(changed))
    return code


def _show(session: "Session", job: "Job") -> None:
    from gotask.cli.commands.views import job_record
    from gotask.gateway.rest.job_document import full_job_document

    session.out.show(lambda: full_job_document(job.message), lambda: job_record(job))
