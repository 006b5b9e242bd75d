"""Random calls: a storage answers as the model does, and its jobs stand as the model's."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from gotask import v1
from gotask.jobs.ids import IdMaker
from gotask.jobs.request import default_queue
from gotask.jobs.states import PENDING, RETRYING
from gotask.storage.contract import DeleteQueueStatus, Finish, JobFilter, Lease, ProgressUpdate, Share, Slot, Storage
from tests.storage.model import Model, ModelJob, ModelQueue
from tests.storage.support import ENDS, NOW, SECOND, STATES

T = TypeVar("T")
_maker = IdMaker()
IDS = [_maker.make(NOW + index * 1_000) for index in range(9)]
QUEUES = {
    "free": ModelQueue(),
    "narrow": ModelQueue(max_workers=2, max_length=4),
    "slow": ModelQueue(rate_limit=2.0),
}
RETENTION = 30 * SECOND
STEPS = 30

_id = st.sampled_from(IDS)
_ids = st.lists(_id, min_size=1, max_size=4)
_queue = st.sampled_from([*QUEUES, "free", "free"])
_key = st.sampled_from(["", "", "", "k1", "k2"])
_after = st.sampled_from([0, 0, 0, SECOND, 5 * SECOND, 20 * SECOND])
_shares = st.lists(st.builds(Share, st.sampled_from([*QUEUES, "nowhere"]), st.integers(0, 4)), max_size=3)
_slots = st.lists(st.builds(Slot, st.sampled_from(["w1", "w2"]), st.integers(0, 5), _shares), max_size=3)
_lease_s = st.sampled_from([1, 10, 60])
_jobs = st.lists(
    st.fixed_dictionaries(
        {
            "id": _id,
            "queue": _queue,
            "priority": st.sampled_from([0, 1, 1, 1, 255]),
            "scheduled": _after,
            "expires": _after,
            "unique_key": _key,
            "idempotency_key": _key,
        }
    ),
    min_size=1,
    max_size=5,
)


def _job(model: ModelJob) -> dict[str, Any]:
    return {
        "spec": model.spec,
        "state": model.state,
        "attempt": model.attempt,
        "forgiven": model.forgiven,
        "ready_at": model.ready_at,
        "due_at": model.due_at,
        "lease_until": model.lease_until,
        "worker": model.worker,
        "started_at": model.started_at,
        "finished_at": model.finished_at,
        "cancel_requested": model.cancel_requested,
        "attempts": model.attempts,
        "result": model.result,
        "progress": model.progress,
    }


def _stored(job: v1.Job) -> dict[str, Any]:
    return {
        "spec": job.spec,
        "state": job.state,
        "attempt": job.attempt,
        "forgiven": job.attempts_forgiven,
        "ready_at": job.ready_at_us,
        "due_at": job.due_at_us,
        "lease_until": job.lease_until_us,
        "worker": job.worker,
        "started_at": job.started_at_us,
        "finished_at": job.finished_at_us,
        "cancel_requested": job.cancel_requested,
        "attempts": [attempt.attempt for attempt in job.history.attempts],
        "result": job.result,
        "progress": job.progress.percent,
    }


class Comparison(RuleBasedStateMachine):
    """One storage and the model, given the same calls."""

    def __init__(self, runner: asyncio.Runner, storage: Storage) -> None:
        super().__init__()
        self._runner = runner
        self.storage = storage
        self.model = Model()
        self.now = NOW

    def wait(self, call: Awaitable[T]) -> T:
        async def answer() -> T:
            return await call

        return self._runner.run(answer())

    @initialize()
    def begin(self) -> None:
        self.wait(self.storage.open())
        for name in QUEUES:
            self.create_queue(name)

    @rule(name=st.sampled_from(list(QUEUES)))
    def create_queue(self, name: str) -> None:
        limits = QUEUES[name]
        queue = default_queue(name, self.now)
        queue.max_workers, queue.max_length = limits.max_workers, limits.max_length
        queue.rate_limit = limits.rate_limit
        queue.retention_success_us = queue.retention_other_us = RETENTION
        assert self.wait(self.storage.create_queue(queue)) == (name not in self.model.queues)
        self.model.queues.setdefault(name, ModelQueue(limits.max_workers, limits.max_length, limits.rate_limit))

    @rule(quarters=st.sampled_from([1, 2, 8, 60]))
    def time_passes(self, quarters: int) -> None:
        self.now += quarters * SECOND // 4

    @rule(jobs=_jobs)
    def insert(self, jobs: list[dict[str, Any]]) -> None:
        specs = [self._spec(**fields) for fields in jobs]
        answers = self.wait(self.storage.insert_jobs(specs, self.now))
        assert answers == [self.model.insert(spec, self.now) for spec in specs]

    def _spec(self, scheduled: int, expires: int, **fields: Any) -> v1.JobSpec:
        return v1.JobSpec(
            type="echo",
            created_at_us=self.now,
            scheduled_at_us=self.now + scheduled if scheduled else 0,
            expires_at_us=self.now + expires if expires else 0,
            **fields,
        )

    @rule(slots=_slots, lease_s=_lease_s)
    def claim(self, slots: list[Slot], lease_s: int) -> None:
        until = self.now + lease_s * SECOND
        claims = self.wait(self.storage.claim(slots, self.now, until))
        given, expired = self.model.claim(slots, self.now, until)
        assert [[(job.job_id, job.attempt, job.tries) for job in jobs] for jobs in claims.jobs] == given
        assert [job.job_id for job in claims.expired] == expired

    @rule(
        data=st.data(),
        ids=_ids,
        state=st.sampled_from(ENDS),
        forgiven=st.booleans(),
        due=_after,
        result=st.sampled_from([b"", b"1", b"2" * 2_000]),
    )
    def finish(self, data: st.DataObject, ids: list[str], state: int, forgiven: bool, due: int, result: bytes) -> None:
        outcomes = []
        for job_id in ids:
            attempt = self._attempt(data, job_id)
            history = v1.History(attempts=[v1.Attempt(attempt=attempt)]).SerializeToString()
            due_at = self.now + due if state == RETRYING else 0
            outcomes.append(
                Finish(job_id, "free", attempt, v1.JobState.ValueType(state), history, result, due_at, forgiven)
            )
        answers = self.wait(self.storage.finish(outcomes, self.now))
        assert answers == [self.model.finish(outcome, self.now) for outcome in outcomes]

    def _attempt(self, data: st.DataObject, job_id: str) -> int:
        """Mostly the one that holds the lease."""
        job = self.model.jobs.get(job_id)
        newest = job.attempt if job else 1
        return max(1, newest - data.draw(st.sampled_from([0, 0, 0, 1])))

    @rule(data=st.data(), ids=_ids, lease_s=_lease_s)
    def extend(self, data: st.DataObject, ids: list[str], lease_s: int) -> None:
        leases = [Lease(job_id, "free", self._attempt(data, job_id)) for job_id in ids]
        until = self.now + lease_s * SECOND
        answers = self.wait(self.storage.extend_leases(leases, [until] * len(ids)))
        assert answers == [self.model.extend(lease, until) for lease in leases]

    @rule(data=st.data(), ids=_ids, percent=st.integers(1, 99))
    def set_progress(self, data: st.DataObject, ids: list[str], percent: int) -> None:
        progress = v1.Progress(percent=percent).SerializeToString()
        attempts = [self._attempt(data, job_id) for job_id in ids]
        updates = [ProgressUpdate(job_id, attempt, progress) for job_id, attempt in zip(ids, attempts, strict=True)]
        recorded = self.wait(self.storage.set_progress(updates))
        assert recorded == [self.model.set_progress(one.job_id, one.attempt, percent) for one in updates]

    def _command(self, ids: list[str], changed: Callable[[ModelJob], bool]) -> list[tuple[bool, int]]:
        """What the model answers: per job whether it changed, and its state."""
        answers = []
        for job_id in ids:
            job = self.model.jobs.get(job_id)
            answers.append((changed(job), job.state) if job else (False, 0))
        return answers

    @rule(ids=_ids)
    def release(self, ids: list[str]) -> None:
        changes = self.wait(self.storage.release(ids, self.now))
        expected = self._command(ids, lambda job: self.model.release(job, self.now))
        assert [(change.changed, change.state) for change in changes] == expected

    @rule(ids=_ids)
    def cancel(self, ids: list[str]) -> None:
        changes = self.wait(self.storage.cancel(ids, self.now))
        expected = self._command(ids, lambda job: self.model.cancel(job, self.now))
        assert [(change.changed, change.state) for change in changes] == expected

    @rule(name=st.sampled_from(list(QUEUES)))
    def cancel_waiting(self, name: str) -> None:
        cancelled = self.wait(self.storage.cancel_waiting(name, self.now, 100))
        assert sorted(cancelled) == self.model.cancel_waiting(name, self.now)

    @rule(ids=_ids)
    def retry(self, ids: list[str]) -> None:
        changes = self.wait(self.storage.retry(ids, self.now))
        expected = self._command(ids, lambda job: self.model.retry(job, self.now))
        assert [(change.changed, change.state) for change in changes] == expected

    @rule(ids=_ids)
    def delete(self, ids: list[str]) -> None:
        changes = self.wait(self.storage.delete(ids))
        expected = self._command(ids, self.model.delete)
        assert [(change.changed, change.state) for change in changes] == expected

    @rule()
    def expire(self) -> None:
        expired = self.wait(self.storage.expire_jobs(self.now, 100))
        assert [job.job_id for job in expired] == self.model.expire(self.now)

    @rule()
    def prune(self) -> None:
        assert self.wait(self.storage.prune(self.now, 100)) == self.model.prune(self.now - RETENTION)

    @rule(name=st.sampled_from(list(QUEUES)), limits=st.sampled_from(list(QUEUES.values())))
    def update_queue(self, name: str, limits: ModelQueue) -> None:
        queue = default_queue(name, self.now)
        queue.max_workers, queue.max_length, queue.rate_limit = limits.max_workers, limits.max_length, limits.rate_limit
        queue.retention_success_us = queue.retention_other_us = RETENTION
        assert self.wait(self.storage.update_queue(queue)) == (name in self.model.queues)
        if name in self.model.queues:
            changed = self.model.queues[name]
            changed.max_workers, changed.max_length = limits.max_workers, limits.max_length
            changed.rate_limit = limits.rate_limit

    @rule(name=st.sampled_from(list(QUEUES)), paused=st.booleans())
    def pause(self, name: str, paused: bool) -> None:
        assert self.wait(self.storage.set_paused(name, paused, self.now)) == (name in self.model.queues)
        if name in self.model.queues:
            self.model.queues[name].paused = paused

    @rule(name=st.sampled_from(list(QUEUES)))
    def delete_queue(self, name: str) -> None:
        status = self.wait(self.storage.delete_queue(name))
        if name not in self.model.queues:
            assert status is DeleteQueueStatus.UNKNOWN
        elif any(self.model.counts(name)[state] for state in ("pending", "running", "scheduled", "retrying")):
            assert status is DeleteQueueStatus.NOT_EMPTY
        else:
            assert status is DeleteQueueStatus.DELETED
            del self.model.queues[name]
            self.model.jobs = {key: job for key, job in self.model.jobs.items() if job.spec.queue != name}

    @rule(states=st.frozensets(st.sampled_from(STATES), max_size=3), queue=st.sampled_from(["", "free", "narrow"]))
    def read_lists(self, states: frozenset[int], queue: str) -> None:
        criteria = JobFilter(states=frozenset(v1.JobState.ValueType(state) for state in states), queue=queue)
        expected = sorted(
            job_id
            for job_id, job in self.model.jobs.items()
            if (not states or job.state in states) and queue in ("", job.spec.queue)
        )[::-1]
        page = self.wait(self.storage.list_jobs(criteria, "", 3))
        rest = self.wait(self.storage.list_jobs(criteria, page.next_cursor, 10)) if page.next_cursor else None
        jobs = [*page.jobs, *(rest.jobs if rest else [])]
        assert [job.spec.id for job in jobs] == expected

    @rule()
    def read_times(self) -> None:
        jobs = self.model.jobs.values()
        due = sorted((job.due_at, job.spec.id) for job in jobs if job.due_at)
        assert self.wait(self.storage.next_due()) == (due[0][0] if due else None)
        found = self.wait(self.storage.due_jobs(self.now, 100))
        assert [(job.due_at_us, job.job_id) for job in found] == [one for one in due if one[0] <= self.now]
        over = sorted((job.lease_until, job.spec.id) for job in jobs if 0 < job.lease_until <= self.now)
        leases = self.wait(self.storage.expired_leases(self.now, 100))
        assert [lease.job_id for lease in leases] == [job_id for _, job_id in over]

    @invariant()
    def jobs_stand_as_in_the_model(self) -> None:
        stored = self.wait(self.storage.get_jobs(IDS))
        expected = [_job(self.model.jobs[job_id]) if job_id in self.model.jobs else None for job_id in IDS]
        assert [_stored(job) if job else None for job in stored] == expected

    @rule()
    def figures_are_those_of_the_model(self) -> None:
        for name, stats in zip(QUEUES, self.wait(self.storage.queue_stats(list(QUEUES), self.now)), strict=True):
            assert {field: getattr(stats, field) for field in self.model.counts(name)} == self.model.counts(name)
            line = sorted(self.model.select(name, PENDING), key=lambda job: (-job.spec.priority, job.arrival))
            assert stats.oldest_ready_at_us == (line[0].ready_at if line else 0)

    def teardown(self) -> None:
        self.wait(self.storage.close())


def compare(storages: Callable[[], Storage], histories: int) -> None:
    """Makes a storage for each of so many random histories, and compares it with a model after every call."""
    with asyncio.Runner() as runner:
        run_state_machine_as_test(
            lambda: Comparison(runner, storages()),  # type: ignore[arg-type]
            settings=settings(
                max_examples=histories,
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
