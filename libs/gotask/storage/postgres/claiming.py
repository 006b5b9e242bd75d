"""The arguments and the answer of the function ``claim_jobs``."""

from collections.abc import Sequence
from typing import Any

from gotask.storage.contract import Claimed, Claims, QueuedJob, Slot
from gotask.storage.postgres.text import columns

_ID = slice(2, 38)
"""Where a serialized v1.JobSpec has its id: it is the first field, of 36 characters."""


def arguments(slots: Sequence[Slot], now_us: int, lease_until_us: int) -> tuple[list[str], list[Any]]:
    """The queues that are asked, and the arguments."""
    numbers: dict[str, int] = {}
    shares_of: list[int] = []
    share_queues: list[int] = []
    share_limits: list[int] = []
    for number, slot in enumerate(slots, 1):
        for queue, limit in slot.shares:
            shares_of.append(number)
            share_queues.append(numbers.setdefault(queue, len(numbers) + 1))
            share_limits.append(limit)
    workers = columns([slot.worker for slot in slots])
    capacities = [slot.capacity for slot in slots]
    queues = list(numbers)
    names = columns(queues)
    return queues, [now_us, lease_until_us, names, workers, capacities, shares_of, share_queues, share_limits]


def claims(slots: Sequence[Slot], queues: Sequence[str], rows: Sequence[Any]) -> Claims:
    jobs: list[list[Claimed]] = [[] for _ in slots]
    expired: list[QueuedJob] = []
    for slot, number, expired_id, spec, attempt, tries, ready_at_us in rows:
        queue = queues[number - 1]
        if slot:
            jobs[slot - 1].append(Claimed(spec[_ID].decode(), queue, spec, attempt, tries, ready_at_us))
        else:
            expired.append(QueuedJob(str(expired_id), queue))
    return Claims(jobs, expired)
