"""Which jobs are the dead letters that someone asks for."""

from gotask import v1
from gotask.jobs.states import DEAD


def matches(wanted: v1.DeadLetters, job: v1.Job) -> bool:
    """Whether *job* is a dead letter that meets every criterion that is given, but for the ids."""
    return (
        job.state == DEAD
        and job.spec.queue == wanted.queue
        and (not wanted.type or job.spec.type == wanted.type)
        and (not wanted.error_type or error_type(job) == wanted.error_type)
    )


def error_type(job: v1.Job) -> str:
    """The type of the error of the last attempt; empty when there is none."""
    return job.history.attempts[-1].error.type if job.history.attempts else ""
