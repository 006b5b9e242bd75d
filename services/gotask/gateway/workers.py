"""What workers ask, and what is asked about them, whatever the protocol. Refusals are CommandErrors."""

from collections.abc import AsyncGenerator, Collection, Iterable
from contextlib import aclosing

from gotask import v1
from gotask.bus.bus import Bus
from gotask.bus.errors import Code, CommandError
from gotask.bus.worker_orders import give_order, no_worker
from gotask.gateway.access.audit import Audit
from gotask.gateway.access.caller import Caller
from gotask.gateway.cancellations import Cancellations
from gotask.gateway.claims import Claims
from gotask.gateway.orders import Orders
from gotask.gateway.reports import Reports
from gotask.gateway.watchers import Watchers
from gotask.jobs.ids import is_id
from gotask.jobs.validation import InvalidJob, check_queue, check_type
from gotask.service.clock import Clock
from gotask.storage.contract import Storage

_MAX_WAIT_US = 60_000_000
_MAX_ID = 128
_MAX_CAPACITY = 5_000


class Workers:
    """Passes on what workers say, after a look at it: a queue-manager believes what comes over the bus.

    Everything may raise StorageUnavailable, too.
    """

    def __init__(
        self, bus: Bus, storage: Storage, clock: Clock, watchers: Watchers, audit: Audit, command_timeout_s: float
    ) -> None:
        self._bus = bus
        self._storage = storage
        self._clock = clock
        self._audit = audit
        self._command_timeout_s = command_timeout_s
        self._claims = Claims(bus, clock)
        self._orders = Orders(bus, self._claims)
        self._reports = Reports(bus)
        self._cancellations = Cancellations(bus, watchers)

    async def start(self) -> None:
        await self._claims.start()
        await self._orders.start()

    async def stop(self) -> None:
        """Ends all streams, and returns when everything that was reported is stored, or has failed."""
        self._cancellations.stop()
        self._orders.stop()
        await self._claims.stop()
        await self._reports.stop()

    async def list_workers(self, caller: Caller) -> list[v1.WorkerInfo]:
        """The live ones, by id; of them only those that serve a queue which the caller may use."""
        workers = await self._storage.list_workers(self._clock.now_us())
        return [worker for worker in workers if caller.queues is None or caller.queues.intersection(worker.queues)]

    async def drain(self, caller: Caller, worker_id: str) -> v1.WorkerInfo:
        """It claims nothing more. UNAVAILABLE when it does not answer."""
        return await self._tell(caller, "drain_worker", self._bus.subjects.drain(worker_id), worker_id)

    async def resume(self, caller: Caller, worker_id: str) -> v1.WorkerInfo:
        """It claims again. FAILED_PRECONDITION when it is stopping."""
        return await self._tell(caller, "resume_worker", self._bus.subjects.resume(worker_id), worker_id)

    async def _tell(self, caller: Caller, action: str, subject: str, worker_id: str) -> v1.WorkerInfo:
        with self._audit.record(caller, action, worker_id):
            known = {worker.id: worker for worker in await self.list_workers(caller)}
            if worker_id not in known:
                raise no_worker(worker_id)
            for queue in known[worker_id].queues:
                caller.check_queue(queue, "id")
            return await give_order(self._bus, subject, worker_id, self._command_timeout_s)

    def claim(self, caller: Caller, request: v1.ClaimRequest) -> AsyncGenerator[v1.ClaimedJobs, None]:
        """The parts of the answer. UNAVAILABLE when no queue-manager serves claims."""
        _check_worker(request.worker, "worker")
        _check_queues(caller, request.queues)
        if not 1 <= request.capacity <= _MAX_CAPACITY:
            raise InvalidJob("capacity", f"use 1 to {_MAX_CAPACITY}")
        if request.wait_us > _MAX_WAIT_US:
            raise InvalidJob("wait_us", "is longer than 60 s")
        return self._claimed(request)

    async def _claimed(self, request: v1.ClaimRequest) -> AsyncGenerator[v1.ClaimedJobs, None]:
        if await self._orders.withheld(request.worker, request.wait_us / 1e6):
            yield v1.ClaimedJobs(last=True)
            return
        async with aclosing(self._claims.claim(request)) as parts:
            async for part in parts:
                yield part

    async def withdraw(self, worker: str) -> None:
        _check_worker(worker, "id")
        await self._claims.withdraw(worker)

    async def heartbeat(self, caller: Caller, heartbeat: v1.Heartbeat) -> v1.HeartbeatReply:
        _check_worker(heartbeat.worker.id, "worker.id")
        _check_queues(caller, heartbeat.worker.queues, "worker.queues")
        if not len(heartbeat.job_ids) == len(heartbeat.attempts) == len(heartbeat.queues):
            raise InvalidJob("job_ids", "has another length than attempts or queues")
        await self._check_jobs(caller, "job_ids", heartbeat.job_ids)
        drain = self._orders.heard(heartbeat.worker)
        if drain:
            heartbeat.worker.draining = True
        reply = await self._bus.request(
            self._bus.subjects.heartbeat, heartbeat, v1.HeartbeatReply, self._command_timeout_s
        )
        if drain is not None:
            reply.drain = drain
        return reply

    async def report(self, caller: Caller, report: v1.JobResults) -> None:
        """UNAVAILABLE when the broker does not store it; it may be repeated."""
        _check_worker(report.worker, "worker")
        for index, result in enumerate(report.results):
            _check_result(caller, f"results.{index}", result)
        await self._check_jobs(caller, "results", (result.job_id for result in report.results))
        await self._check_jobs(caller, "progress", (progress.job_id for progress in report.progress))
        await self._reports.report(report)

    def cancellations(self, worker: str) -> AsyncGenerator[v1.CancelJobs, None]:
        """Ends with the gateway."""
        _check_worker(worker, "id")
        return self._cancellations.of(worker)

    async def _check_jobs(self, caller: Caller, field: str, job_ids: Iterable[str]) -> None:
        """Whether they are in queues that the caller may use: what it says of that is not believed."""
        ids = list(job_ids)
        if not all(map(is_id, ids)):
            raise InvalidJob(field, "holds a job id that is none")
        if caller.queues is None or not ids:
            return
        jobs = await self._storage.get_jobs(ids)
        if any(job is not None and not caller.may_use(job.spec.queue) for job in jobs):
            raise CommandError(
                Code.PERMISSION_DENIED, f"{caller.name} may not use the queue of one of these jobs", field
            )


def _check_worker(worker: str, field: str) -> None:
    if not 1 <= len(worker) <= _MAX_ID:
        raise InvalidJob(field, f"use 1 to {_MAX_ID} characters")


def _check_queues(caller: Caller, queues: Collection[str], field: str = "queues") -> None:
    if not queues:
        raise InvalidJob(field, "name at least one")
    for queue in queues:
        check_queue(queue)
        caller.check_queue(queue, field)


def _check_result(caller: Caller, field: str, result: v1.JobResult) -> None:
    check_type(result.type)
    check_queue(result.queue)
    caller.check_queue(result.queue, f"{field}.queue")
    if not result.attempt.attempt:
        raise InvalidJob(f"{field}.attempt.attempt", "is required: say the number that the claim told")
    if result.attempt.outcome not in _REPORTABLE:
        raise InvalidJob(f"{field}.attempt.outcome", "is success, failure, cancelled or returned")


_REPORTABLE = frozenset({v1.OUTCOME_SUCCESS, v1.OUTCOME_FAILURE, v1.OUTCOME_CANCELLED, v1.OUTCOME_RETURNED})
