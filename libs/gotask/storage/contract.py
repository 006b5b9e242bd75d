"""The storage contract: what every backend promises, call by call.

Every call that touches jobs takes a batch and answers in the batch's order. Every call is atomic, and safe to
repeat: a repeat finds the work done and says so. Time is passed in (``now_us``, microseconds since the epoch). The
cost of ``claim`` and ``finish`` does not grow with the number of jobs that wait. A connection that is lost raises
:class:`StorageUnavailable`; the call may or may not have been applied, and is to be repeated.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from gotask import v1


class StorageError(Exception):
    """What the storage answered is wrong: a bug, or a foreign hand in its data."""


class StorageUnavailable(StorageError):
    """The storage cannot be reached, or the connection broke within a call. Repeating the call is safe."""


class InsertStatus(IntEnum):
    CREATED = 0
    DUPLICATE = 1  # of the job `existing_id`: same id, same idempotency key, or same unique key
    QUEUE_FULL = 2
    QUEUE_UNKNOWN = 3


class Inserted(NamedTuple):
    status: InsertStatus
    state: v1.JobState.ValueType = v1.JOB_STATE_UNSPECIFIED  # created: scheduled or pending
    existing_id: str = ""


class Share(NamedTuple):
    """At most *limit* jobs from *queue*."""

    queue: str
    limit: int


class Slot(NamedTuple):
    """A worker that can take *capacity* jobs: from its shares in order, until it is full.

    A queue may stand in several shares.
    """

    worker: str
    capacity: int
    shares: Sequence[Share]


class Claimed(NamedTuple):
    """A job leased to a worker. ``(job_id, attempt)`` is the fencing token."""

    job_id: str
    queue: str
    spec: bytes  # serialized v1.JobSpec, as it was inserted
    attempt: int
    tries: int  # attempt less the forgiven ones: 1 is the first try
    ready_at_us: int


class QueuedJob(NamedTuple):
    job_id: str
    queue: str


class Claims(NamedTuple):
    jobs: list[list[Claimed]]  # one list per slot
    expired: list[QueuedJob]  # found to be past their time to live, and now expired


class Finish(NamedTuple):
    """How an attempt ended, and what its job becomes.

    *state* is SUCCESS, RETRYING, PENDING, FAILED, DEAD or CANCELLED. RETRYING becomes pending at *due_at_us*; PENDING
    goes back to the place in line that the job had before it was claimed. *queue* is a hint: the job knows its queue.
    """

    job_id: str
    queue: str
    attempt: int
    state: v1.JobState.ValueType
    history: bytes  # serialized v1.History with this one attempt, appended to the job's
    result: bytes = b""  # kept for SUCCESS only
    due_at_us: int = 0
    forgiven: bool = False  # the attempt does not count against max_retries


class FinishStatus(IntEnum):
    APPLIED = 0
    STALE = 1  # the attempt does not hold the lease, or there is no such job: nothing changed
    REPEATED = 2  # stale, but the job stands as this outcome leaves it: it was applied before


class Finished(NamedTuple):
    status: FinishStatus
    state: v1.JobState.ValueType = v1.JOB_STATE_UNSPECIFIED  # what the job became, applied now or before


class Lease(NamedTuple):
    job_id: str
    queue: str
    attempt: int


class LeaseStatus(IntEnum):
    EXTENDED = 0
    LOST = 1
    CANCEL_REQUESTED = 2  # extended, too


class ExpiredLease(NamedTuple):
    job_id: str
    queue: str
    attempt: int
    worker: str


class DueJob(NamedTuple):
    job_id: str
    due_at_us: int


class Change(NamedTuple):
    """What a command did to a job. A job that does not exist has state UNSPECIFIED."""

    changed: bool
    state: v1.JobState.ValueType  # after the command; for a deleted job, the state it had
    queue: str = ""
    worker: str = ""  # of a running job: who is to be told of its cancellation


class ProgressUpdate(NamedTuple):
    job_id: str
    attempt: int
    progress: bytes  # serialized v1.Progress


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to list: all that match every criterion that is given. Times bound ``created_at_us``."""

    states: frozenset[v1.JobState.ValueType] = frozenset()
    queue: str = ""
    type: str = ""
    tag: str = ""
    created_from_us: int = 0
    created_before_us: int = 0


class Page(NamedTuple):
    jobs: list[v1.Job]
    next_cursor: str  # empty on the last page


class ScheduleChange(NamedTuple):
    """What a schedule is to become; its ``revision`` is the one that was read."""

    schedule: v1.Schedule
    opens: Sequence[v1.Fire] = ()  # from now on, insert_jobs takes the job of each, once
    closes: Sequence[str] = ()  # the jobs of fires that are given up


class ScheduleStatus(IntEnum):
    CHANGED = 0
    STALE = 1  # it was changed or deleted since it was read: nothing changed
    NAME_TAKEN = 2  # by another: nothing changed


class OpenFire(NamedTuple):
    """A fire whose job is not stored yet."""

    schedule_id: str
    fire: v1.Fire


class DeleteQueueStatus(IntEnum):
    DELETED = 0
    UNKNOWN = 1
    NOT_EMPTY = 2  # jobs wait or run in it; nothing changed


class Storage(ABC):
    """One backend. Open it before use; every method may raise :class:`StorageUnavailable`."""

    @abstractmethod
    async def open(self) -> None:
        """Connects and prepares the backend. Safe to repeat, from several processes at once."""

    @abstractmethod
    async def close(self) -> None: ...

    @abstractmethod
    async def ping(self) -> None:
        """Returns when the backend answers."""

    # The way of a job

    @abstractmethod
    async def insert_jobs(self, specs: Sequence[v1.JobSpec], now_us: int) -> list[Inserted]:
        """Stores jobs: SCHEDULED when ``scheduled_at_us`` lies ahead, else PENDING at the end of the line.

        Equal priorities keep the order of the batch. An idempotency key is held as long as its job is stored, a
        unique key until its job is terminal. ``max_length`` of a queue counts its waiting jobs.

        The job of a schedule's fire (it has a ``schedule_id``) is stored only while that fire is open, and closes it;
        so does being a duplicate of another job. Later it is a duplicate of itself, whether it is still stored or not.
        """

    @abstractmethod
    async def claim(self, slots: Sequence[Slot], now_us: int, lease_until_us: int) -> Claims:
        """Leases pending jobs, highest priority first, equal ones in order of arrival.

        Honours paused, ``max_workers``, ``rate_limit`` (a token bucket that holds one second's worth, at least one)
        and expiry. Queues that do not exist give nothing.
        """

    @abstractmethod
    async def finish(self, outcomes: Sequence[Finish], now_us: int) -> list[Finished]:
        """Ends attempts. Where cancellation was asked for, PENDING and RETRYING become CANCELLED.

        ValueError for a state that RUNNING cannot become: nothing is applied.
        """

    @abstractmethod
    async def extend_leases(self, leases: Sequence[Lease], until_us: Sequence[int]) -> list[LeaseStatus]:
        """Makes each lease last until its ``until_us``."""

    @abstractmethod
    async def expired_leases(self, now_us: int, limit: int) -> list[ExpiredLease]:
        """Running jobs whose lease is over, longest first. Changes nothing."""

    @abstractmethod
    async def due_jobs(self, now_us: int, limit: int) -> list[DueJob]:
        """Scheduled and retrying jobs whose time has come, earliest first. Changes nothing."""

    @abstractmethod
    async def next_due(self) -> int | None:
        """When the next scheduled or retrying job is due; None when there is none."""

    @abstractmethod
    async def release(self, job_ids: Sequence[str], now_us: int) -> list[Change]:
        """Scheduled and retrying jobs that are due become pending, at the end of the line."""

    @abstractmethod
    async def expire_jobs(self, now_us: int, limit: int) -> list[QueuedJob]:
        """Waiting jobs whose time to live is over become expired."""

    # Commands about jobs

    @abstractmethod
    async def cancel(self, job_ids: Sequence[str], now_us: int) -> list[Change]:
        """Waiting jobs become cancelled; running ones are marked, and *changed* is true the first time."""

    @abstractmethod
    async def cancel_waiting(self, queue: str, now_us: int, limit: int) -> list[str]:
        """Up to *limit* waiting jobs of a queue become cancelled, pending ones first; their ids. Running ones stay.

        None is left that waited when fewer than *limit* are told, but such as changed just then.
        """

    @abstractmethod
    async def delete(self, job_ids: Sequence[str]) -> list[Change]:
        """Forgets jobs that are terminal; others stay."""

    @abstractmethod
    async def retry(self, job_ids: Sequence[str], now_us: int) -> list[Change]:
        """Jobs in a retryable terminal state become pending, at the end of the line.

        Attempts so far are forgiven, history is kept, and neither a time to live nor a cancellation counts any more. A
        job takes its unique key again; it stays as it is when another job holds the key by now.
        """

    @abstractmethod
    async def set_progress(self, updates: Sequence[ProgressUpdate]) -> list[bool]:
        """Records progress of running attempts; False for an attempt that does not hold the lease.

        A job shows the progress of its newest attempt, and none while it waits for another.
        """

    # Reading jobs

    @abstractmethod
    async def get_jobs(self, job_ids: Sequence[str]) -> list[v1.Job | None]: ...

    @abstractmethod
    async def list_jobs(self, criteria: JobFilter, cursor: str, limit: int) -> Page:
        """Jobs that match, newest id first. *cursor* is empty or a former page's; ValueError if it is neither.

        Stable: a job that stays stored and keeps matching is seen exactly once over all pages.
        """

    # Queues

    @abstractmethod
    async def create_queue(self, queue: v1.Queue) -> bool:
        """False when it exists already."""

    @abstractmethod
    async def update_queue(self, queue: v1.Queue) -> bool:
        """Replaces all settings but ``paused`` and ``created_at_us``; False when it does not exist."""

    @abstractmethod
    async def set_paused(self, name: str, paused: bool, now_us: int) -> bool:
        """False when the queue does not exist."""

    @abstractmethod
    async def get_queues(self, names: Sequence[str] | None = None) -> list[v1.Queue]:
        """The named queues that exist, or all, by name."""

    @abstractmethod
    async def delete_queue(self, name: str) -> DeleteQueueStatus:
        """Forgets a queue in which no job waits or runs, and its terminal jobs with it."""

    @abstractmethod
    async def queue_stats(self, names: Sequence[str], now_us: int) -> list[v1.QueueStats]:
        """One per queue, in order; a queue that does not exist has zeros. ``workers`` is left 0.

        ``finished_last_minute`` counts SUCCESS, FAILED and DEAD in buckets of ten seconds.
        """

    # Schedules

    @abstractmethod
    async def create_schedule(self, schedule: v1.Schedule) -> bool:
        """False when its id or its name is taken."""

    @abstractmethod
    async def change_schedules(self, changes: Sequence[ScheduleChange], offer_at_us: int) -> list[ScheduleStatus]:
        """Stores each schedule with the next revision, if it still has the one that was read.

        A fire that is opened, which happens together with that, is given by ``take_fires`` from *offer_at_us* on for as
        long as it is open. One that is closed is forgotten.
        """

    @abstractmethod
    async def get_schedules(self, schedule_ids: Sequence[str]) -> list[v1.Schedule]:
        """The schedules with these ids that exist, by name."""

    @abstractmethod
    async def list_schedules(self, after: str, limit: int) -> list[v1.Schedule]:
        """The first schedules whose names come after *after*, by name (in the order of their UTF-8 bytes)."""

    @abstractmethod
    async def delete_schedule(self, schedule_id: str) -> bool:
        """Forgets a schedule and its open fires; False when it does not exist."""

    @abstractmethod
    async def take_schedules(self, now_us: int, until_us: int, limit: int) -> list[v1.Schedule]:
        """Schedules that are not paused and whose ``next_fire_at_us`` (not 0) has come, earliest first.

        They are taken until *until_us*: until then nobody else is given them, unless they are changed.
        """

    @abstractmethod
    async def take_fires(self, now_us: int, wait_us: int, limit: int) -> list[OpenFire]:
        """Open fires whose time to be offered (again) has come, earliest first.

        Each is taken for *wait_us*, or for as long as it has been since its tick, if that is longer.
        """

    @abstractmethod
    async def fires_open(self, job_ids: Sequence[str]) -> list[bool]:
        """Whether each is the job of a fire that is open."""

    @abstractmethod
    async def next_fire(self) -> int | None:
        """From when on there may be something to take; None when there is nothing to wait for."""

    # Workers

    @abstractmethod
    async def put_workers(self, workers: Sequence[v1.WorkerInfo], expires_at_us: int) -> None: ...

    @abstractmethod
    async def list_workers(self, now_us: int) -> list[v1.WorkerInfo]:
        """Those that have not expired, by id."""

    # Housekeeping

    @abstractmethod
    async def prune(self, now_us: int, limit: int) -> int:
        """Forgets up to *limit* terminal jobs past their queue's retention; how many it forgot."""
