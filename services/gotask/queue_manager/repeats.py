"""Repeats: whether a result that changed nothing had been applied before, or came too late. The job's history knows."""

from collections.abc import Callable, Sequence

from gotask import v1
from gotask.jobs.states import CANCELLED, DEAD, FAILED, PENDING, RETRYING, SUCCESS
from gotask.storage.contract import Finished, FinishStatus, Storage

_STALE = Finished(FinishStatus.STALE)


class Repeats:
    """Looks up what the storage cannot tell apart: a job that stands as a result would leave it need not have had this
    result; and a job that went on since may have had it."""

    def __init__(self, storage: Storage, keeps_dead_letters: Callable[[str], bool]) -> None:
        self._storage = storage
        self._keeps_dead_letters = keeps_dead_letters

    async def settle(
        self, results: Sequence[v1.JobResult], finished: Sequence[Finished], replayed: Sequence[bool]
    ) -> list[Finished | None]:
        """Per result what is to be told of it: that it is STALE; that it was applied, now or before, and what its job
        became; or None, when another message has told or will tell that.

        :param replayed: whether the result's message may have been applied before, and not all of it told.
        """
        doubtful = [
            index
            for index, (status, state) in enumerate(finished)
            if (status is FinishStatus.REPEATED and state != SUCCESS)
            or (status is FinishStatus.STALE and replayed[index])
        ]
        settled: list[Finished | None] = list(finished)
        if doubtful:
            jobs = await self._storage.get_jobs([results[index].job_id for index in doubtful])
            for index, job in zip(doubtful, jobs, strict=True):
                settled[index] = self._by_history(job, results[index], finished[index])
        return [
            None if one is not None and one.status is FinishStatus.REPEATED and not replayed[index] else one
            for index, one in enumerate(settled)
        ]

    def _by_history(self, job: v1.Job | None, result: v1.JobResult, finished: Finished) -> Finished:
        if job is None or not _was_applied(job, result):
            return _STALE
        if finished.status is FinishStatus.REPEATED:
            return finished
        return Finished(FinishStatus.REPEATED, self._state_then(job, result))

    def _state_then(self, job: v1.Job, result: v1.JobResult) -> v1.JobState.ValueType:
        """What the result made of a job that went on since."""
        if result.attempt.outcome == v1.OUTCOME_RETURNED:
            return PENDING
        if result.attempt.outcome == v1.OUTCOME_CANCELLED:
            return CANCELLED
        if job.attempts_forgiven < result.attempt.attempt:
            return RETRYING
        # All its attempts up to this one were forgiven: it had none left, and was retried by hand.
        return DEAD if self._keeps_dead_letters(job.spec.queue) else FAILED


def _was_applied(job: v1.Job, result: v1.JobResult) -> bool:
    """Whether the attempt ended with this result, and not by its lost lease."""
    return any(
        attempt.attempt == result.attempt.attempt and attempt.outcome != v1.OUTCOME_LEASE_LOST
        for attempt in job.history.attempts
    )
