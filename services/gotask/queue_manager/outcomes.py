"""Outcomes: results end attempts, and decide what becomes of their jobs."""

from collections import Counter
from collections.abc import Sequence

import structlog
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg

from gotask import v1
from gotask.bus.bus import Bus, Publication
from gotask.bus.consumer import Received, Undecodable
from gotask.bus.job_events import KIND_OF_STATE
from gotask.jobs import limits, outcomes
from gotask.jobs.history import history_of
from gotask.jobs.states import PENDING, SUCCESS
from gotask.jobs.validation import InvalidJob, check_payload, check_queue
from gotask.queue_manager.dispatch import Dispatcher
from gotask.queue_manager.events import EventLog, publications_of
from gotask.queue_manager.queues import Queues
from gotask.queue_manager.repeats import Repeats
from gotask.service.clock import Clock
from gotask.service.telemetry import Telemetry
from gotask.storage.contract import Finish, Finished, FinishStatus, ProgressUpdate, Storage

_log = structlog.get_logger("gotask.queue_manager")

_SUCCEEDED = v1.OUTCOME_SUCCESS
_DECIDED = {
    v1.OUTCOME_CANCELLED: outcomes.WAS_CANCELLED,
    v1.OUTCOME_RETURNED: outcomes.RETURNED,
}


def decode_results(message: Msg) -> v1.JobResults:
    """Reads a message of the RESULTS stream."""
    try:
        results = v1.JobResults.FromString(message.data)
    except DecodeError as error:
        raise Undecodable(f"not a JobResults message: {error}") from None
    try:
        for name in {result.queue for result in results.results} | {progress.queue for progress in results.progress}:
            check_queue(name)
    except InvalidJob as error:
        raise Undecodable(f"a result of the queue {name!r}: {error.reason}") from None
    return results


class Outcomes:
    """Applies batches of the RESULTS stream. A success is applied without reading its job."""

    def __init__(
        self,
        bus: Bus,
        storage: Storage,
        clock: Clock,
        queues: Queues,
        dispatcher: Dispatcher,
        telemetry: Telemetry,
    ) -> None:
        self._bus = bus
        self._storage = storage
        self._clock = clock
        self._queues = queues
        self._dispatcher = dispatcher
        self._repeats = Repeats(storage, self.keeps_dead_letters)
        self._telemetry = telemetry

    async def apply(self, batch: list[Received[v1.JobResults]]) -> Sequence[Publication]:
        """Ends the attempts of all messages in one call; returns the events."""
        now_us = self._clock.now_us()
        results = [result for received in batch for result in received.item.results]
        decisions = await self._decide(results, now_us)
        finishes = [_finish(result, decisions.get(index)) for index, result in enumerate(results)]
        finished = iter(await self._finish(batch, results, finishes, now_us))
        self._telemetry.settled(results, now_us)
        ended = iter(finishes)
        logs = []
        for received in batch:
            log = EventLog(received.cause, now_us)
            for result in received.item.results:
                _tell(log, result, next(ended), next(finished))
            logs.append(log)
        await self._record_progress(batch, logs)
        self._wake(finishes)
        return publications_of(logs, self._bus.subjects)

    async def _finish(
        self,
        batch: list[Received[v1.JobResults]],
        results: list[v1.JobResult],
        finishes: list[Finish],
        now_us: int,
    ) -> Sequence[Finished | None]:
        """What is to be told of each result."""
        finished = await self._storage.finish(finishes, now_us) if finishes else []
        if all(status is FinishStatus.APPLIED for status, _ in finished):
            return finished
        replayed = [received.redelivered for received in batch for _ in received.item.results]
        return await self._repeats.settle(results, finished, replayed)

    async def _decide(self, results: list[v1.JobResult], now_us: int) -> dict[int, outcomes.Decision]:
        """What becomes of the jobs whose attempts did not succeed, by the results' indexes."""
        decisions: dict[int, outcomes.Decision] = {}
        failures: list[int] = []
        for index, result in enumerate(results):
            outcome = result.attempt.outcome
            if outcome == _SUCCEEDED:
                if not result.result or _is_result(result):
                    continue
                outcome = result.attempt.outcome
            if (decided := _DECIDED.get(outcome)) is not None:
                decisions[index] = decided
            else:
                failures.append(index)
        if failures:
            jobs = await self._storage.get_jobs([results[index].job_id for index in failures])
            for index, job in zip(failures, jobs, strict=True):
                decisions[index] = self._after_failure(job, results[index], now_us)
        return decisions

    def _after_failure(self, job: v1.Job | None, result: v1.JobResult, now_us: int) -> outcomes.Decision:
        if job is None:
            # Deleted: whatever is decided is stale.
            return outcomes.WAS_CANCELLED
        return outcomes.after_failure(job, result, self.keeps_dead_letters(job.spec.queue), now_us)

    def keeps_dead_letters(self, name: str) -> bool:
        queue = self._queues.get(name)
        return queue is None or queue.dead_letter

    async def _record_progress(self, batch: list[Received[v1.JobResults]], logs: list[EventLog]) -> None:
        told = [
            (log, received.item.worker, progress)
            for received, log in zip(batch, logs, strict=True)
            for progress in received.item.progress
        ]
        if not told:
            return
        updates = [
            ProgressUpdate(progress.job_id, progress.attempt, progress.progress.SerializeToString())
            for _, _, progress in told
        ]
        recorded = await self._storage.set_progress(updates)
        for (log, worker, progress), counted in zip(told, recorded, strict=True):
            if counted:
                events = log.batch(v1.EVENT_KIND_PROGRESS, progress.queue, worker=worker)
                events.job_ids.append(progress.job_id)
                events.attempts.append(progress.attempt)
                events.progress.append(progress.progress)

    def _wake(self, finishes: list[Finish]) -> None:
        """Jobs that were handed back wait again, and a slot of a limited queue is free again."""
        limited = {
            name
            for name in {finish.queue for finish in finishes}
            if (queue := self._queues.get(name)) is not None and queue.max_workers
        }
        self._dispatcher.wake(
            Counter(finish.queue for finish in finishes if finish.state == PENDING or finish.queue in limited)
        )


def _is_result(result: v1.JobResult) -> bool:
    """Whether the result may be stored; if not, the attempt becomes a failure that says so."""
    try:
        check_payload(result.result, limits.MAX_RESULT_BYTES)
    except InvalidJob as error:
        result.ClearField("result")
        result.no_retry = True
        result.attempt.outcome = v1.OUTCOME_FAILURE
        result.attempt.error.CopyFrom(v1.JobError(type="InvalidResult", message=f"the result {error.reason}"))
        return False
    return True


def _finish(result: v1.JobResult, decision: outcomes.Decision | None) -> Finish:
    attempt = result.attempt
    history = history_of(attempt)
    if decision is None:
        return Finish(result.job_id, result.queue, attempt.attempt, SUCCESS, history, result.result)
    state, due_at_us, forgiven = decision
    return Finish(result.job_id, result.queue, attempt.attempt, state, history, b"", due_at_us, forgiven)


def _tell(log: EventLog, result: v1.JobResult, finish: Finish, finished: Finished | None) -> None:
    """Adds the event. A repeated outcome is told again, under the id it had: its first telling may not have got out."""
    if finished is None:
        return
    attempt = result.attempt
    status, state = finished
    stale = status is FinishStatus.STALE
    kind = v1.EVENT_KIND_STALE if stale else KIND_OF_STATE[state]
    events = log.batch(kind, finish.queue, result.type, attempt.worker)
    events.job_ids.append(finish.job_id)
    events.attempts.append(finish.attempt)
    if stale:
        return
    events.run_us.append(attempt.finished_at_us - attempt.started_at_us)
    if kind != v1.EVENT_KIND_SUCCEEDED:
        events.errors.append(attempt.error)
