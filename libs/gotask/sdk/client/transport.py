"""What a client needs of the way to GoTask, and the verbs that are called over it.

The verbs are those of the gRPC services, with their messages; over NATS the same are said in the bus's own words.
"""

from collections.abc import AsyncGenerator, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message

from gotask import v1
from gotask.bus.dead_letters import PATIENCE_S
from gotask.bus.purging import PATIENCE_S as PURGE_PATIENCE_S

Request = TypeVar("Request", bound=Message)
Reply = TypeVar("Reply", bound=Message)


class Verb(NamedTuple, Generic[Request, Reply]):
    """A call of one answer."""

    service: str
    name: str
    request: type[Request]
    reply: type[Reply]
    repeatable: bool = False
    """Whether a second call finds all as the first left it, and says the same."""
    works_s: float = 0.0
    """How long the other side may work before it answers, in seconds."""


GET_JOB = Verb("JobService", "GetJob", v1.GetJobRequest, v1.Job, repeatable=True)
LIST_JOBS = Verb("JobService", "ListJobs", v1.ListJobsRequest, v1.ListJobsResponse, repeatable=True)
CANCEL_JOB = Verb("JobService", "CancelJob", v1.JobId, v1.Job)
RETRY_JOB = Verb("JobService", "RetryJob", v1.JobId, v1.Job)
DELETE_JOB = Verb("JobService", "DeleteJob", v1.JobId, Empty)

CREATE_QUEUE = Verb("QueueService", "CreateQueue", v1.QueueSettings, v1.Queue)
LIST_QUEUES = Verb("QueueService", "ListQueues", Empty, v1.QueueList, repeatable=True)
GET_QUEUE = Verb("QueueService", "GetQueue", v1.QueueName, v1.Queue, repeatable=True)
UPDATE_QUEUE = Verb("QueueService", "UpdateQueue", v1.QueueSettings, v1.Queue, repeatable=True)
DELETE_QUEUE = Verb("QueueService", "DeleteQueue", v1.QueueName, Empty)
PAUSE_QUEUE = Verb("QueueService", "PauseQueue", v1.QueueName, v1.Queue, repeatable=True)
RESUME_QUEUE = Verb("QueueService", "ResumeQueue", v1.QueueName, v1.Queue, repeatable=True)
PURGE_QUEUE = Verb("QueueService", "PurgeQueue", v1.QueueName, v1.QueuePurged, works_s=PURGE_PATIENCE_S)
GET_QUEUE_STATS = Verb("QueueService", "GetQueueStats", v1.QueueName, v1.QueueStats, repeatable=True)

LIST_DEAD_JOBS = Verb("QueueService", "ListDeadJobs", v1.ListDeadJobsRequest, v1.ListJobsResponse, repeatable=True)
RETRY_DEAD_JOBS = Verb("QueueService", "RetryDeadJobs", v1.DeadLetters, v1.DeadJobsChanged, works_s=PATIENCE_S)
PURGE_DEAD_JOBS = Verb("QueueService", "PurgeDeadJobs", v1.DeadLetters, v1.DeadJobsChanged, works_s=PATIENCE_S)

CREATE_SCHEDULE = Verb("ScheduleService", "CreateSchedule", v1.Schedule, v1.Schedule)
LIST_SCHEDULES = Verb("ScheduleService", "ListSchedules", Empty, v1.ScheduleList, repeatable=True)
GET_SCHEDULE = Verb("ScheduleService", "GetSchedule", v1.ScheduleId, v1.Schedule, repeatable=True)
UPDATE_SCHEDULE = Verb("ScheduleService", "UpdateSchedule", v1.Schedule, v1.Schedule, repeatable=True)
DELETE_SCHEDULE = Verb("ScheduleService", "DeleteSchedule", v1.ScheduleId, Empty)
PAUSE_SCHEDULE = Verb("ScheduleService", "PauseSchedule", v1.ScheduleId, v1.Schedule, repeatable=True)
RESUME_SCHEDULE = Verb("ScheduleService", "ResumeSchedule", v1.ScheduleId, v1.Schedule, repeatable=True)
RUN_SCHEDULE = Verb("ScheduleService", "RunSchedule", v1.ScheduleId, v1.Schedule)

LIST_WORKERS = Verb("WorkerService", "ListWorkers", Empty, v1.WorkerList, repeatable=True)
DRAIN_WORKER = Verb("WorkerService", "DrainWorker", v1.WorkerName, v1.WorkerInfo)
RESUME_WORKER = Verb("WorkerService", "ResumeWorker", v1.WorkerName, v1.WorkerInfo)


class Transport(Protocol):
    """One way to GoTask. Connects when it is first used; every call raises GoTaskErrors only."""

    def now_us(self) -> int:
        """The time, in microseconds since the epoch."""
        ...

    def new_id(self) -> str: ...

    async def submit(self, specs: Sequence[v1.JobSpec]) -> list[v1.SubmitOutcome]:
        """What became of each job, in order. Concurrent calls leave together."""
        ...

    async def call(self, verb: Verb[Request, Reply], request: Request) -> Reply: ...

    async def wait(self, job_id: str, timeout_s: float) -> v1.Job:
        """The job once it has ended; or as it stands after *timeout_s* seconds, or somewhat sooner."""
        ...

    def watch_job(self, job_id: str) -> AsyncGenerator[v1.JobUpdate, None]:
        """As JobService.WatchJob."""
        ...

    def watch_events(self, request: v1.WatchEventsRequest) -> AsyncGenerator[v1.WatchedEvents, None]:
        """As JobService.WatchEvents, and goes on whatever happens to the connection."""
        ...

    async def connect(self) -> None:
        """Connects now, to fail early; Unavailable when nobody answers in time."""
        ...

    async def close(self) -> None: ...
