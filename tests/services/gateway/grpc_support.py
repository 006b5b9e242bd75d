"""Calls over gRPC, and what their errors say."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status

from gotask import v1
from gotask.v1.job_service_pb2_grpc import JobServiceStub
from gotask.v1.queue_service_pb2_grpc import QueueServiceStub
from gotask.v1.schedule_service_pb2_grpc import ScheduleServiceStub
from gotask.v1.worker_service_pb2_grpc import WorkerServiceStub

if TYPE_CHECKING:
    # These are for type checkers alone.
    from gotask.v1.job_service_pb2_grpc import JobServiceAsyncStub
    from gotask.v1.queue_service_pb2_grpc import QueueServiceAsyncStub
    from gotask.v1.schedule_service_pb2_grpc import ScheduleServiceAsyncStub
    from gotask.v1.worker_service_pb2_grpc import WorkerServiceAsyncStub


@dataclass
class Refused:
    """How a call was refused; filled in when it was."""

    code: grpc.StatusCode = grpc.StatusCode.OK
    message: str = ""
    fields: tuple[str, ...] = ()
    retry_after_s: float | None = None


@contextlib.contextmanager
def refused(code: grpc.StatusCode) -> Iterator[Refused]:
    """The block has to end in a call that is refused with *code*."""
    found = Refused()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        yield found
    error = caught.value
    assert error.code() is code, error
    found.code, found.message = code, error.details() or ""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            assert isinstance(value, bytes)
            _read_details(Status.FromString(value), found)


def _read_details(status: Any, found: Refused) -> None:
    assert (status.code, status.message) == (found.code.value[0], found.message)
    for detail in status.details:
        bad, retry = BadRequest(), RetryInfo()
        if detail.Unpack(bad):
            found.fields = tuple(violation.field for violation in bad.field_violations)
        if detail.Unpack(retry):
            found.retry_after_s = retry.retry_delay.ToTimedelta().total_seconds()


def jobs(channel: grpc.aio.Channel) -> "JobServiceAsyncStub":
    return JobServiceStub(channel)


def queues(channel: grpc.aio.Channel) -> "QueueServiceAsyncStub":
    return QueueServiceStub(channel)


def schedules(channel: grpc.aio.Channel) -> "ScheduleServiceAsyncStub":
    return ScheduleServiceStub(channel)


def workers(channel: grpc.aio.Channel) -> "WorkerServiceAsyncStub":
    return WorkerServiceStub(channel)


def new_job(**fields: Any) -> v1.NewJob:
    own = {name: fields.pop(name) for name in ("delay_us", "ttl_us") if name in fields}
    return v1.NewJob(spec=v1.JobSpec(**{"type": "echo", **fields}), **own)


async def frames(*frames: list[v1.NewJob]) -> AsyncIterator[v1.SubmitFrame]:
    for number, each in enumerate(frames, 1):
        yield v1.SubmitFrame(frame=number, jobs=each)
