"""The arguments and the answer of ``lua/claim.lua``."""

from collections.abc import Sequence
from itertools import repeat
from typing import Any

from gotask.storage.contract import Claimed, Claims, QueuedJob, Slot
from gotask.storage.redis.records import attempt_in, fresh_ready_at, id_in, spec_in, worker_name


def arguments(slots: Sequence[Slot], now_us: int, lease_until_us: int) -> tuple[list[str], list[Any]]:
    """The queues that are asked, and the arguments."""
    numbers: dict[str, int] = {}
    args: list[Any] = []
    for worker, capacity, shares in slots:
        args += (worker_name(worker), capacity, len(shares))
        for queue, limit in shares:
            args += (numbers.setdefault(queue, len(numbers) + 1), limit)
    queues = list(numbers)
    return queues, [now_us, lease_until_us, len(queues), *queues, *args]


def claims(queues: Sequence[str], answer: Any) -> Claims:
    expired = [QueuedJob(job_id.decode(), queue.decode()) for job_id, queue in answer[0]]
    dropped = {job.job_id for job in expired}
    jobs = []
    for takings in answer[1]:
        claimed = [
            _claimed(queues[number - 1], value, record)
            for number, values, records in takings
            for value, record in (zip(values, records, strict=True) if records else zip(values, repeat(None)))
        ]
        jobs.append([job for job in claimed if job.job_id not in dropped] if dropped else claimed)
    return Claims(jobs, expired)


def _claimed(queue: str, value: bytes, record: bytes | None) -> Claimed:
    spec = spec_in(value)
    job_id = id_in(spec)
    if record is None:
        return Claimed(job_id, queue, spec, 1, 1, fresh_ready_at(value))
    attempt, forgiven, ready_at_us = attempt_in(record)
    return Claimed(job_id, queue, spec, attempt + 1, attempt + 1 - forgiven, ready_at_us)
