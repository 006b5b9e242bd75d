"""Intake: submitted jobs are checked, completed from their queue, stored, told of, answered."""

from collections import Counter
from collections.abc import Sequence

from gotask import v1
from gotask.bus.bus import Bus, Publication
from gotask.bus.consumer import Received, rejection
from gotask.bus.errors import Code
from gotask.jobs.states import PENDING
from gotask.jobs.validation import InvalidJob, check_spec
from gotask.queue_manager.dispatch import Dispatcher
from gotask.queue_manager.events import EventLog, publications_of
from gotask.queue_manager.json_answer import json_answer
from gotask.queue_manager.queues import Queues
from gotask.queue_manager.settings import QueueManagerSettings
from gotask.queue_manager.submission import Submission
from gotask.service.clock import Clock
from gotask.service.telemetry import Telemetry
from gotask.storage.contract import Inserted, InsertStatus, Storage

_REPLY_WITHIN_US = 2_000_000
_CREATED = InsertStatus.CREATED
_DUPLICATE = InsertStatus.DUPLICATE
_STORED = (_CREATED, _DUPLICATE)


class Intake:
    """Applies batches of the SUBMIT stream."""

    def __init__(
        self,
        settings: QueueManagerSettings,
        bus: Bus,
        storage: Storage,
        clock: Clock,
        queues: Queues,
        dispatcher: Dispatcher,
        telemetry: Telemetry,
    ) -> None:
        self._settings = settings
        self._bus = bus
        self._storage = storage
        self._clock = clock
        self._queues = queues
        self._dispatcher = dispatcher
        self._telemetry = telemetry

    async def apply(self, batch: list[Received[Submission]]) -> Sequence[Publication]:
        """Stores the jobs of all messages in one call; returns their events and what was rejected."""
        now_us = self._clock.now_us()
        await self._queues.ensure({spec.queue for received in batch for spec in received.item.request.jobs})
        refusals: list[list[v1.Status | None]] = [self._refusals(received.item, now_us) for received in batch]
        specs = [
            spec
            for received, refused in zip(batch, refusals, strict=True)
            for spec, refusal in zip(received.item.request.jobs, refused, strict=True)
            if refusal is None
        ]
        self._telemetry.arriving(specs, now_us)
        inserted = iter(await self._insert(specs, now_us) if specs else ())
        self._telemetry.stored(specs, now_us)
        ready: Counter[str] = Counter()
        logs: list[EventLog] = []
        rejections: list[Publication] = []
        for received, refused in zip(batch, refusals, strict=True):
            outcomes = [refusal if refusal is not None else next(inserted) for refusal in refused]
            logs.append(self._events(received, outcomes, now_us, ready))
            rejections += await self._answer(received, outcomes, now_us)
        self._dispatcher.wake(ready)
        return publications_of(logs, self._bus.subjects) + rejections

    async def _insert(self, specs: list[v1.JobSpec], now_us: int) -> list[Inserted]:
        """Stores jobs; again those whose queue was deleted since it was last looked at, if it may be created."""
        inserted = await self._storage.insert_jobs(specs, now_us)
        gone = [index for index, one in enumerate(inserted) if one.status is InsertStatus.QUEUE_UNKNOWN]
        if gone and self._settings.create_queues:
            names = {specs[index].queue for index in gone}
            for name in names:
                self._queues.forget(name)
            await self._queues.ensure(names)
            again = await self._storage.insert_jobs([specs[index] for index in gone], now_us)
            for index, one in zip(gone, again, strict=True):
                inserted[index] = one
        return inserted

    def _refusals(self, submission: Submission, now_us: int) -> list[v1.Status | None]:
        """Per job, why it cannot be stored, or None; a job that can be is completed on the way."""
        refusals: list[v1.Status | None] = []
        for spec in submission.request.jobs:
            try:
                check_spec(spec, self._settings.max_payload_bytes)
                _check_subject(spec, submission.queue)
            except InvalidJob as error:
                refusals.append(v1.Status(code=Code.INVALID_ARGUMENT, message=error.reason, field=error.field))
                continue
            defaults = self._queues.defaults(spec.queue)
            if defaults is None:
                refusals.append(_unknown_queue(spec.queue))
                continue
            defaults.fill_in(spec, now_us)
            refusals.append(None)
        return refusals

    def _events(
        self,
        received: Received[Submission],
        outcomes: Sequence[v1.Status | Inserted],
        now_us: int,
        ready: Counter[str],
    ) -> EventLog:
        jobs = received.item.request.jobs
        # Named after the jobs, not after the message: a batch that is submitted twice is told of once.
        log = EventLog(f"created:{jobs[0].id}:{len(jobs)}" if jobs else received.cause, now_us)
        for spec, outcome in zip(jobs, outcomes, strict=True):
            if isinstance(outcome, v1.Status):
                continue
            if outcome.status is _CREATED:
                if outcome.state == PENDING:
                    ready[spec.queue] += 1
            elif outcome.existing_id != spec.id:
                continue
            log.batch(v1.EVENT_KIND_CREATED, spec.queue, spec.type).job_ids.append(spec.id)
        return log

    async def _answer(
        self, received: Received[Submission], outcomes: Sequence[v1.Status | Inserted], now_us: int
    ) -> list[Publication]:
        """Tells the submitter; what nobody waits for, or may have stopped waiting for, is kept as rejected."""
        submission, cause, redelivered = received
        request = submission.request
        if submission.problem is not None:
            return await self._refuse_unreadable(submission, submission.problem, cause)
        if request.reply_to:
            results = [_result(spec, outcome, now_us) for spec, outcome in zip(request.jobs, outcomes, strict=True)]
            await self._reply(submission, results)
            if not redelivered and self._in_time(submission):
                return []
        return [
            self._rejection(submission, spec, _refusal(spec, outcome), f"{cause}:{index}")
            for index, (spec, outcome) in enumerate(zip(request.jobs, outcomes, strict=True))
            if not _is_stored(outcome)
        ]

    async def _refuse_unreadable(self, submission: Submission, problem: v1.Status, cause: str) -> list[Publication]:
        if submission.request.reply_to:
            answer = json_answer("", v1.SubmitResult(status=problem))
            await self._bus.publish(submission.request.reply_to, answer)
        return [rejection(self._bus, submission.message, "undecodable", _explanation(problem), cause)]

    def _in_time(self, submission: Submission) -> bool:
        """Whether the reply surely comes before the submitter gives it up: half of its patience is for the way."""
        within_us = submission.request.reply_within_us or _REPLY_WITHIN_US
        stored_at_us = submission.message.metadata.timestamp.timestamp() * 1e6
        return self._clock.now_us() - stored_at_us < within_us / 2

    async def _reply(self, submission: Submission, results: list[v1.SubmitResult]) -> None:
        request = submission.request
        if submission.as_json:
            await self._bus.publish(request.reply_to, json_answer(request.jobs[0].id, results[0]))
            return
        reply = v1.SubmitReply(request_id=request.request_id, results=results)
        data = reply.SerializeToString()
        if len(data) > self._bus.max_payload:
            # Filled-in defaults made it larger than the request was: the submitter knows the rest of the spec.
            for result in results:
                result.ClearField("spec")
            reply = v1.SubmitReply(request_id=request.request_id, results=results)
            data = reply.SerializeToString()
        await self._bus.publish(request.reply_to, data)

    def _rejection(self, submission: Submission, spec: v1.JobSpec, status: v1.Status, cause: str) -> Publication:
        reason = "queue_full" if status.code == Code.RESOURCE_EXHAUSTED else "invalid"
        data = None if submission.as_json else v1.SubmitJobs(jobs=[spec]).SerializeToString()
        return rejection(self._bus, submission.message, reason, _explanation(status), cause, data)


def _explanation(status: v1.Status) -> str:
    return f"{status.field}: {status.message}" if status.field else status.message


def _check_subject(spec: v1.JobSpec, queue: str) -> None:
    if queue and spec.queue != queue:
        raise InvalidJob("queue", f"{spec.queue!r} was submitted to the subject of {queue!r}")


def _unknown_queue(name: str) -> v1.Status:
    return v1.Status(
        code=Code.FAILED_PRECONDITION, message=f"queue {name!r} does not exist and is not created on use", field="queue"
    )


def _is_stored(outcome: v1.Status | Inserted) -> bool:
    return isinstance(outcome, Inserted) and outcome.status in _STORED


def _result(spec: v1.JobSpec, outcome: v1.Status | Inserted, now_us: int) -> v1.SubmitResult:
    if isinstance(outcome, Inserted):
        if outcome.status is _CREATED:
            ready_at_us = now_us if outcome.state == PENDING else 0
            return v1.SubmitResult(spec=spec, state=outcome.state, ready_at_us=ready_at_us)
        if outcome.status is _DUPLICATE:
            return v1.SubmitResult(existing_id=outcome.existing_id)
    return v1.SubmitResult(status=_refusal(spec, outcome))


def _refusal(spec: v1.JobSpec, outcome: v1.Status | Inserted) -> v1.Status:
    """Why a job was not stored."""
    if isinstance(outcome, v1.Status):
        return outcome
    if outcome.status is InsertStatus.QUEUE_FULL:
        return v1.Status(code=Code.RESOURCE_EXHAUSTED, message=f"queue {spec.queue!r} is full", field="queue")
    return _unknown_queue(spec.queue)
