"""Waiting for jobs, with a progress display."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from gotask.cli.commands.exits import Exit
from gotask.cli.commands.session import Session
from gotask.cli.commands.views import coloured, job_record, job_table
from gotask.gateway.rest.job_document import full_job_document
from gotask.sdk.client.job import Job
from gotask.sdk.errors import WaitTimeout

_AT_ONCE = 1_000
_SHOWN = 20


async def wait_for(session: Session, job_ids: Sequence[str], wait_timeout: str) -> int:
    """Waits for all of them, shows how they ended, and gives the exit code."""
    room = asyncio.Semaphore(_AT_ONCE)
    with session.out.progress() as progress:
        bar = progress.add_task("waiting", total=len(job_ids))

        async def wait(job_id: str) -> Job | WaitTimeout:
            async with room:
                try:
                    return await session.client.wait(job_id, wait_timeout or None)
                except WaitTimeout as error:
                    return error
                finally:
                    progress.advance(bar)

        ended = await asyncio.gather(*map(wait, job_ids))
    jobs = [each for each in ended if isinstance(each, Job)]
    late = [each for each in ended if isinstance(each, WaitTimeout)]
    _show(session, jobs)
    for error in late[:_SHOWN]:
        session.out.note(f"gotask: {error.message}")
    if any(not job.succeeded for job in jobs):
        return Exit.REFUSED
    return Exit.TIMEOUT if late else Exit.DONE


def _show(session: Session, jobs: Sequence[Job]) -> None:
    if len(jobs) == 1:
        (job,) = jobs
        session.out.show(lambda: full_job_document(job.message), lambda: job_record(job))
    elif session.out.json or len(jobs) <= _SHOWN:
        session.out.show(lambda: [full_job_document(job.message) for job in jobs], lambda: job_table(jobs))
    else:
        counts = Counter(job.status for job in jobs)
        session.out.console.print(", ".join(f"{count} {coloured(status)}" for status, count in counts.most_common()))
        if bad := [job for job in jobs if not job.succeeded][:_SHOWN]:
            session.out.console.print(job_table(bad))
