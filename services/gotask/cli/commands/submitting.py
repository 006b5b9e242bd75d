"""Submitting one job."""

import sys
from typing import Any

import orjson
import typer

from gotask.cli.commands.session import Session
from gotask.cli.commands.views import job_record
from gotask.cli.commands.waiting import wait_for
from gotask.gateway.rest.job_document import job_document


async def submit_one(
    session: Session, job_type: str, payload: str, options: Any, *, wait: bool, wait_timeout: str
) -> int:
    """The exit code."""
    handle = await session.client.submit(job_type, _payload(payload), **options)
    if handle.submission == "existed":
        session.out.note("a job with this key was there before")
    if wait:
        return await wait_for(session, [handle.id], wait_timeout)
    session.out.show(lambda: job_document(handle.job.message), lambda: job_record(handle.job))
    return 0


def _payload(text: str) -> Any:
    if text == "-":
        text = sys.stdin.read()
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise typer.BadParameter(f"is not JSON: {error}", param_hint="PAYLOAD") from None
