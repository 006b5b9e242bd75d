"""The documents of REST as models: for OpenAPI and for tests. No request passes through them."""

from gotask.gateway.rest.schemas.event import EventKind, JobEvent
from gotask.gateway.rest.schemas.job import (
    Attempt,
    BatchAnswer,
    BatchItem,
    FullJob,
    Job,
    JobError,
    JobList,
    Progress,
    Status,
    Strategy,
)
from gotask.gateway.rest.schemas.problem import FieldProblem, Problem
from gotask.gateway.rest.schemas.queue import DeadPurged, DeadRetried, Queue, QueueList, QueuePurged, QueueStats
from gotask.gateway.rest.schemas.schedule import Fire, FullSchedule, Schedule, ScheduleList
from gotask.gateway.rest.schemas.system import Health, Readiness
from gotask.gateway.rest.schemas.worker import JobRun, Worker, WorkerList

__all__ = [
    "Attempt",
    "BatchAnswer",
    "BatchItem",
    "DeadPurged",
    "DeadRetried",
    "EventKind",
    "FieldProblem",
    "Fire",
    "FullJob",
    "FullSchedule",
    "Health",
    "Job",
    "JobError",
    "JobEvent",
    "JobList",
    "JobRun",
    "Problem",
    "Progress",
    "Queue",
    "QueueList",
    "QueuePurged",
    "QueueStats",
    "Readiness",
    "Schedule",
    "ScheduleList",
    "Status",
    "Strategy",
    "Worker",
    "WorkerList",
]
