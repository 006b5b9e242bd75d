"""A queue in this process: storage in memory, a clock that stands still, handlers that run when they are told to."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gotask import v1
from gotask.bus.errors import Code
from gotask.bus.job_events import KIND_OF_STATE
from gotask.jobs import outcomes
from gotask.jobs.admission import Defaults
from gotask.jobs.history import history_of
from gotask.jobs.ids import IdMaker
from gotask.jobs.request import default_queue
from gotask.jobs.states import RUNNING
from gotask.jobs.validation import InvalidJob, check_spec
from gotask.sdk.app import App
from gotask.sdk.testing.attempt import WORKER, Attempt
from gotask.storage.contract import Change, Claimed, Finish, Inserted, InsertStatus, ProgressUpdate, Share, Slot
from gotask.storage.memory import MemoryStorage

_LEASE_US = 10**15
_PAGE = 1_000
_REFUSALS = {
    InsertStatus.QUEUE_FULL: (Code.RESOURCE_EXHAUSTED, "queue {!r} is full"),
    InsertStatus.QUEUE_UNKNOWN: (Code.FAILED_PRECONDITION, "queue {!r} does not exist"),
}


@dataclass
class Engine:
    """Runs jobs one after the other, by priority and order of arrival. What they do is in *events*."""

    app: App
    now_us: int
    storage: MemoryStorage = field(default_factory=MemoryStorage)
    events: list[v1.JobEvent] = field(default_factory=list)
    running: dict[str, Attempt] = field(default_factory=dict)
    progress: list[ProgressUpdate] = field(default_factory=list)
    ids: IdMaker = field(default_factory=IdMaker)

    async def submit(self, specs: Sequence[v1.JobSpec]) -> list[v1.SubmitOutcome]:
        """What became of each job, in order."""
        return [await self._submit(spec) for spec in specs]

    async def _submit(self, spec: v1.JobSpec) -> v1.SubmitOutcome:
        try:
            check_spec(spec)
        except InvalidJob as error:
            return _refused(Code.INVALID_ARGUMENT, error.reason, error.field)
        Defaults(await self._queue(spec.queue)).fill_in(spec, self.now_us)
        (inserted,) = await self.storage.insert_jobs([spec], self.now_us)
        if inserted.status in _REFUSALS:
            code, text = _REFUSALS[inserted.status]
            return _refused(code, text.format(spec.queue), "queue")
        if inserted.status is InsertStatus.CREATED:
            self.tell(v1.EVENT_KIND_CREATED, spec)
        return await self._outcome(spec, inserted)

    async def _outcome(self, spec: v1.JobSpec, inserted: Inserted) -> v1.SubmitOutcome:
        existed = inserted.status is InsertStatus.DUPLICATE
        (job,) = await self.storage.get_jobs([inserted.existing_id if existed else spec.id])
        return v1.SubmitOutcome(submission=v1.SUBMISSION_EXISTED if existed else v1.SUBMISSION_CREATED, job=job)

    async def _queue(self, name: str) -> v1.Queue:
        await self.storage.create_queue(default_queue(name, self.now_us))
        (queue,) = await self.storage.get_queues([name])
        return queue

    async def run(self) -> int:
        """Runs what is pending now, and what that submits, until nothing is; how many attempts that took."""
        attempts = 0
        await self._release()
        while (claimed := await self._claim()) is not None:
            await self._attempt(claimed)
            await self._release()
            attempts += 1
        return attempts

    async def next_due(self) -> int | None:
        """When the next scheduled or retrying job is due."""
        return await self.storage.next_due()

    async def _release(self) -> None:
        """Jobs expire, and those whose time has come become pending."""
        for expired in await self.storage.expire_jobs(self.now_us, _PAGE):
            self.events.append(self._event(v1.EVENT_KIND_EXPIRED, expired.job_id, expired.queue))
        due = [job.job_id for job in await self.storage.due_jobs(self.now_us, _PAGE)]
        for job_id, change in zip(due, await self.storage.release(due, self.now_us), strict=True):
            if change.changed:
                self.events.append(self._event(v1.EVENT_KIND_RELEASED, job_id, change.queue))

    async def _claim(self) -> Claimed | None:
        queues = sorted(await self.storage.get_queues(), key=lambda queue: -queue.priority)
        shares = [Share(queue.name, 1) for queue in queues]
        claims = await self.storage.claim([Slot(WORKER, 1, shares)], self.now_us, self.now_us + _LEASE_US)
        return next(iter(claims.jobs[0]), None)

    async def _attempt(self, claimed: Claimed) -> None:
        spec = v1.JobSpec.FromString(claimed.spec)
        self.tell(v1.EVENT_KIND_STARTED, spec, claimed.attempt)
        attempt = Attempt(self.app, spec, claimed.attempt, claimed.tries, self.now_us, self._on_progress)
        self.running[spec.id] = attempt
        try:
            result = await attempt.run()
        finally:
            del self.running[spec.id]
        result.attempt.started_at_us = attempt.started_at_us
        result.attempt.finished_at_us = self.now_us
        await self._finish(spec, result)

    def _on_progress(self, job_id: str, progress: v1.Progress) -> None:
        """Called by handlers, from their threads, too: it is stored when the engine gets to it."""
        progress.at_us = self.now_us
        attempt = self.running[job_id]
        self.progress.append(ProgressUpdate(job_id, attempt.number, progress.SerializeToString()))
        self.tell(v1.EVENT_KIND_PROGRESS, attempt.spec, attempt.number).progress.CopyFrom(progress)

    async def keep_up(self) -> None:
        """Stores what handlers have told of their progress."""
        told, self.progress = self.progress, []
        await self.storage.set_progress(told)

    async def _finish(self, spec: v1.JobSpec, result: v1.JobResult) -> None:
        await self.keep_up()
        decision = await self._decide(spec, result)
        finish = Finish(
            spec.id,
            spec.queue,
            result.attempt.attempt,
            decision.state,
            history_of(result.attempt),
            result.result,
            decision.due_at_us,
            decision.forgiven,
        )
        (finished,) = await self.storage.finish([finish], self.now_us)
        if finished.state:
            event = self.tell(KIND_OF_STATE[finished.state], spec, result.attempt.attempt)
            event.run_us = result.attempt.finished_at_us - result.attempt.started_at_us
            if result.attempt.HasField("error"):
                event.error.CopyFrom(result.attempt.error)

    async def _decide(self, spec: v1.JobSpec, result: v1.JobResult) -> outcomes.Decision:
        if result.attempt.outcome == v1.OUTCOME_SUCCESS:
            return outcomes.SUCCEEDED
        if result.attempt.outcome == v1.OUTCOME_CANCELLED:
            return outcomes.WAS_CANCELLED
        (job,) = await self.storage.get_jobs([spec.id])
        if job is None:
            return outcomes.WAS_CANCELLED
        (queue,) = await self.storage.get_queues([spec.queue])
        return outcomes.after_failure(job, result, queue.dead_letter, self.now_us, rand=lambda: 0.5)

    def interrupt(self, changes: Sequence[Change], job_ids: Sequence[str]) -> None:
        """Tells handlers whose jobs were cancelled."""
        for job_id, change in zip(job_ids, changes, strict=True):
            if change.changed and change.state == RUNNING:
                self.running[job_id].cancel()
            elif change.changed:
                self.events.append(self._event(v1.EVENT_KIND_CANCELLED, job_id, change.queue))

    async def purge(self, queue: str) -> int:
        """Cancels what waits in *queue*; how many jobs that was."""
        cancelled: list[str] = []
        while ids := await self.storage.cancel_waiting(queue, self.now_us, _PAGE):
            cancelled += ids
        self.events += [self._event(v1.EVENT_KIND_CANCELLED, job_id, queue) for job_id in cancelled]
        return len(cancelled)

    def tell(self, kind: v1.EventKind.ValueType, spec: v1.JobSpec, attempt: int = 0) -> v1.JobEvent:
        """Adds an event, to be completed."""
        event = self._event(kind, spec.id, spec.queue)
        event.type = spec.type
        event.attempt = attempt
        event.worker = WORKER if attempt else ""
        self.events.append(event)
        return event

    def _event(self, kind: v1.EventKind.ValueType, job_id: str, queue: str) -> v1.JobEvent:
        return v1.JobEvent(kind=kind, job_id=job_id, queue=queue, at_us=self.now_us)


def _refused(code: Code, message: str, field_name: str) -> v1.SubmitOutcome:
    return v1.SubmitOutcome(status=v1.Status(code=code, message=message, field=field_name))
