"""Ids as the database takes them."""

from collections.abc import Iterable

from gotask.jobs.ids import is_id

NO_JOB = "00000000-0000-0000-0000-000000000000"
"""An id that no job has."""


def known_ids(job_ids: Iterable[str]) -> list[str]:
    """The ids in their order, with :data:`NO_JOB` for what cannot be one: no job has it, and a uuid cannot hold it."""
    return [job_id if is_id(job_id) else NO_JOB for job_id in job_ids]
