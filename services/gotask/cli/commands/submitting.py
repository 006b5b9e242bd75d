"""Submitting one job."""

from typing import Any

from gotask.cli.commands.session import Session
from gotask.cli.commands.views import job_record
from gotask.cli.commands.waiting import wait_for
from gotask.cli.commands.written import json_argument
from gotask.gateway.rest.job_document import job_document


async def submit_one(
    session: Session, job_type: str, payload: str, options: Any, *, wait: bool, wait_timeout: str
) -> int:
    """The exit code."""
    handle = await session.client.submit(job_type, json_argument(payload), **options)
    if handle.submission == "existed":
        session.out.note("a job with this key was there before")
    if wait:
        return await wait_for(session, [handle.id], wait_timeout)
    session.out.show(lambda: job_document(handle.job.message), lambda: job_record(handle.job))
    return 0
