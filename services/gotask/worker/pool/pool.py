"""The pool itself: which child runs what, when one is started, and when one has to go."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

import structlog

from gotask import v1
from gotask.sdk.errors import ProcessCrashed
from gotask.service.sizes import format_bytes
from gotask.service.tasks import stop_task
from gotask.worker.pool.frames import Done, Order
from gotask.worker.pool.process import ChildProcess, ChildSettings

_log = structlog.get_logger("gotask.worker")

_EXIT_S = 5.0
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 10.0


class PoolLimits(NamedTuple):
    """How many children there are, and how long each may serve."""

    size: int
    """The most children at once."""
    max_memory: int
    """Bytes: a child that has used more is replaced after its job; 0 is no limit."""
    max_jobs: int
    """Jobs after which a child is replaced; 0 is no limit."""
    patience_s: float
    """Seconds that an interrupted handler has until its process is killed."""


class ProcessPool:
    """Runs jobs in child processes.

    A child is started when it is needed, and one more is always kept ready or on its way, up to the size of the pool:
    so a start costs only who comes as all are busy. Jobs wait for a child in the order of their arrival.
    """

    def __init__(self, settings: ChildSettings, limits: PoolLimits, report: Callable[[str, v1.Progress], None]) -> None:
        self._settings = settings
        self._limits = limits
        self._report = report
        self._idle: list[ChildProcess] = []
        self._waiting: deque[asyncio.Future[ChildProcess]] = deque()
        self._places = limits.size
        self._starting = 0
        self._pause_s = _FIRST_PAUSE_S
        self._stopped = False
        self._starts: set[asyncio.Task[None]] = set()
        self._ends: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begins to start a child; does not wait for it."""
        self._grow()

    async def stop(self) -> None:
        """Ends the children. No job may run any more."""
        self._stopped = True
        for task in list(self._starts):
            await stop_task(task)
        for child in self._idle:
            _keep(self._ends, child.end(_EXIT_S))
        self._idle.clear()
        if self._ends:
            await asyncio.wait(self._ends)

    async def run(self, spec: v1.JobSpec, tries: int, begin: Callable[[], int]) -> v1.JobResult:
        """Runs a job in a child; the outcome and what belongs to it.

        :param begin: called when a child is there; tells when the attempt times out, in microseconds since the epoch.
        :raises ProcessCrashed: the child ended while the job ran, or none could be started.
        """
        child = await self._take()
        try:
            done = await child.run(Order(tries, begin(), spec), self._report)
        except ProcessCrashed as error:
            _log.warning("pool process crashed", job_id=spec.id, type=spec.type, pid=child.pid, reason=str(error))
            self._gone()
            raise
        except BaseException:
            await child.end(self._limits.patience_s)
            self._gone()
            raise
        self._give_back(child, done)
        return done.result

    async def _take(self) -> ChildProcess:
        while self._idle:
            child = self._idle.pop()
            if child.alive:
                self._grow()
                return child
            self._gone()
        place: asyncio.Future[ChildProcess] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        self._grow()
        try:
            return await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.exception() is None:
                self._put(place.result())
            raise

    def _give_back(self, child: ChildProcess, done: Done) -> None:
        limits = self._limits
        if 0 < limits.max_memory < done.peak_memory:
            used, limit = format_bytes(done.peak_memory), format_bytes(limits.max_memory)
            self._retire(child, f"it has used {used} of memory; the limit is {limit}")
        elif 0 < limits.max_jobs <= child.jobs:
            self._retire(child, f"it has run {child.jobs} jobs")
        else:
            self._put(child)

    def _retire(self, child: ChildProcess, why: str) -> None:
        _log.info("pool process replaced", pid=child.pid, reason=why)
        _keep(self._ends, child.end(_EXIT_S))
        self._gone()

    def _put(self, child: ChildProcess) -> None:
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(child)
                return
        self._idle.append(child)

    def _gone(self) -> None:
        """A child has left its place."""
        self._places += 1
        self._grow()

    def _grow(self) -> None:
        wanted = sum(not place.done() for place in self._waiting) + 1
        while not self._stopped and self._places > 0 and len(self._idle) + self._starting < wanted:
            self._places -= 1
            self._starting += 1
            _keep(self._starts, self._start_child())

    async def _start_child(self) -> None:
        try:
            child = await ChildProcess.start(self._settings)
        except (ProcessCrashed, OSError, TimeoutError) as error:
            _log.error("pool process not started", reason=str(error) or type(error).__name__)
            self._disappoint(error)
            await asyncio.sleep(self._pause_s)
            self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)
            self._starting -= 1
            self._gone()
        else:
            self._pause_s = _FIRST_PAUSE_S
            self._starting -= 1
            self._put(child)

    def _disappoint(self, error: Exception) -> None:
        """Jobs that wait are told when there is no child that could come free."""
        if self._places + self._starting < self._limits.size:
            return
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_exception(ProcessCrashed(f"no process for the handler can be started: {error}"))


def _keep(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
    """Runs *work* in a task that is in *tasks* while it lasts."""
    task = asyncio.create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
