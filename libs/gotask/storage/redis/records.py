"""How a job is kept in Redis, as bytes; ``lua/records.lua`` describes the layout."""

import struct
from collections.abc import Sequence
from functools import lru_cache

from gotask import v1
from gotask.jobs.states import PENDING, RETRYING, RUNNING, SCHEDULED, TERMINAL
from gotask.jobs.wire import field

HAS_EXPIRY, HAS_UNIQUE, HAS_IDEMPOTENCY, CANCEL_REQUESTED, LARGE_RESULT, INSERTED_LATER = 1, 2, 4, 8, 16, 32
IS_FIRE = 64

_VALUE = struct.Struct(">BBBqq")
_RECORD = struct.Struct(">BIqBBqIqB")
_WORKER = struct.Struct(">H")
# How fields of wire type 2 begin: history and result of v1.Job, tags of v1.JobSpec.
_HISTORY, _RESULT, _TAGS = b"\x72", b"\x5a", b"\x6a"


@lru_cache(maxsize=4096)
def _names(queue: str, job_type: str) -> bytes:
    return _counted(queue) + _counted(job_type)


def _counted(text: str) -> bytes:
    data = text.encode()
    return bytes((len(data),)) + data


def value_of(spec: v1.JobSpec, flags: int, now_us: int) -> bytes:
    """A job as it is inserted."""
    names = _names(spec.queue, spec.type)
    ready_at_us = 0 if flags & INSERTED_LATER else now_us
    head = _VALUE.pack(_VALUE.size + len(names), flags, spec.priority, ready_at_us, spec.created_at_us)
    return head + names + spec.SerializeToString()


def spec_in(value: bytes) -> bytes:
    """The serialized v1.JobSpec in a value."""
    return value[value[0] :]


def id_in(spec: bytes) -> str:
    """The id in a serialized v1.JobSpec: its first field, of less than 128 bytes."""
    return spec[2 : 2 + spec[1]].decode()


def fresh_ready_at(value: bytes) -> int:
    """When a job that has no record yet became pending, in microseconds."""
    return int.from_bytes(value[3:11], "big")


def attempt_in(record: bytes) -> tuple[int, int, int]:
    """Attempt, forgiven attempts, and since when it was last pending, in microseconds."""
    _, attempt, _, _, _, ready_at_us, forgiven, _, _ = _RECORD.unpack_from(record)
    return attempt, forgiven, ready_at_us


def worker_name(worker: str) -> bytes:
    """A worker's name as it stands in a record."""
    data = worker.encode()
    return _WORKER.pack(len(data)) + data


@lru_cache(maxsize=4096)
def token(attempt: int) -> bytes:
    """How the record of a job begins while *attempt* holds its lease."""
    return bytes((RUNNING,)) + attempt.to_bytes(4, "big")


def fragment(history: bytes, result: bytes) -> bytes:
    """A serialized v1.Job with only these fields: appended to another, it adds its attempts."""
    data = field(_HISTORY, history) if history else b""
    return data + field(_RESULT, result) if result else data


def tag_field(tag: str) -> bytes:
    """What is found in every serialized v1.JobSpec with this tag, and in few others; empty for no tag."""
    return field(_TAGS, tag.encode()) if tag else b""


def job_of(row: Sequence[bytes]) -> v1.Job:
    """The job of a row that ``lua/reading.lua`` made."""
    value, record, lease_until, progress, result = row
    job = _job_of_record(record) if record else v1.Job(state=PENDING, ready_at_us=fresh_ready_at(value))
    job.spec.ParseFromString(spec_in(value))
    if lease_until:
        job.lease_until_us = int(float(lease_until))
    if progress:
        job.progress.ParseFromString(progress)
    if result:
        job.result = result
    return job


def _job_of_record(record: bytes) -> v1.Job:
    state, attempt, when_us, flags, _, ready_at_us, forgiven, started_at_us, queue_length = _RECORD.unpack_from(record)
    at = _RECORD.size + queue_length
    worker_end = at + 2 + _WORKER.unpack_from(record, at)[0]
    job = v1.Job.FromString(record[worker_end + 1 + record[worker_end] :])
    job.state = state
    job.attempt = attempt
    job.attempts_forgiven = forgiven
    job.ready_at_us = ready_at_us
    job.started_at_us = started_at_us
    job.worker = record[at + 2 : worker_end].decode()
    job.cancel_requested = bool(flags & CANCEL_REQUESTED)
    if state in (SCHEDULED, RETRYING):
        job.due_at_us = when_us
    elif state in TERMINAL:
        job.finished_at_us = when_us
    return job
