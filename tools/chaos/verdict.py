"""Compares what became of the jobs with what they were promised."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gotask.sdk.client.job import Attempt, Job
from tools.chaos.orders import NARROW_QUEUE, NARROW_WORKERS, Order

_USED_UP = frozenset({"failure", "lease_lost"})


@dataclass(slots=True)
class Verdict:
    """What was found: *problems* is empty when every promise was kept."""

    jobs: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)
    most_at_once: int = 0
    problems: list[str] = field(default_factory=list)


def judge(orders: Sequence[Order], jobs: Sequence[Job], successes: Mapping[str, int]) -> Verdict:
    """
    :param jobs: every job there is, with its history.
    :param successes: how often the recorded events tell that a job succeeded, by job.
    """
    verdict = Verdict(len(jobs))
    by_key: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        by_key[job.message.spec.idempotency_key].append(job)
        verdict.ends[job.status] += 1
        verdict.attempts.update(attempt.outcome for attempt in job.history)
    for order in orders:
        found = by_key.pop(order.key, [])
        verdict.problems += [f"order {order.key} ({order.kind}): {what}" for what in _faults(order, found, successes)]
    verdict.problems += [f"a job that nobody ordered: {job!r}" for found in by_key.values() for job in found]
    verdict.most_at_once = _most_at_once(job for job in jobs if job.queue == NARROW_QUEUE)
    if verdict.most_at_once > NARROW_WORKERS:
        verdict.problems.append(f"{verdict.most_at_once} jobs of a queue with max_workers={NARROW_WORKERS} at once")
    return verdict


def _faults(order: Order, found: Sequence[Job], successes: Mapping[str, int]) -> Iterator[str]:
    if not order.accepted:
        yield "was never accepted"
    if len(found) != 1:
        yield f"{len(found)} jobs were made of it"
        return
    (job,) = found
    if order.stored_as - {job.id}:
        yield f"was answered with {order.stored_as}, stored as {job.id}"
    if not job.ended:
        yield f"has not ended: {job!r}"
        return
    yield from _end_faults(order, job)
    yield from _history_faults(job)
    told = successes.get(job.id, 0)
    if told != job.succeeded:
        yield f"ended in {job.status}, and its success was told {told} times"


def _end_faults(order: Order, job: Job) -> Iterator[str]:
    used = sum(attempt.outcome in _USED_UP for attempt in job.history)
    allowed = 1 + (job.max_retries or 0)
    lost = sum(attempt.outcome == "lease_lost" for attempt in job.history)
    # Silence of a worker uses up a try: who loses all of them is dead, and rightly so.
    if job.status not in order.ends and not (job.status == "dead" and lost and used == allowed):
        yield f"ended in {job.status}, not in {' or '.join(sorted(order.ends))}"
    if used > allowed or job.attempts > allowed:
        yield f"{used} tries used up, {job.attempts} counted, {allowed} allowed"
    if order.cancelled_as == "cancelled" and job.status != "cancelled":
        yield f"was cancelled, and ended in {job.status}"
    if job.status == "cancelled" and not order.cancel:
        yield "nobody cancelled it"


def _history_faults(job: Job) -> Iterator[str]:
    history = job.history
    numbers = [attempt.attempt for attempt in history]
    if numbers != list(range(1, job.message.attempt + 1)):
        yield f"its attempts are {numbers}, the last one is {job.message.attempt}"
    successes = [attempt for attempt in history if attempt.outcome == "success"]
    if job.succeeded and (len(successes) != 1 or history[-1] is not successes[0] or job.result != job.attempts):
        yield f"succeeded in try {job.attempts}, result {job.result}, {[each.outcome for each in history]}"
    if not job.succeeded and successes:
        yield f"ended in {job.status} though an attempt succeeded"
    begun = history[0].started_at if history else None
    if begun and job.scheduled_at and begun < job.scheduled_at:
        yield f"was begun at {begun}, before {job.scheduled_at}"


def _most_at_once(jobs: Iterator[Job]) -> int:
    changes: list[tuple[datetime, int]] = []
    for job in jobs:
        for attempt in job.history:
            changes += _changes(attempt)
    running = most = 0
    for _, change in sorted(changes):
        running += change
        most = max(most, running)
    return most


def _changes(attempt: Attempt) -> Iterator[tuple[datetime, int]]:
    """Ends sort before beginnings of the same moment."""
    if attempt.started_at and attempt.finished_at:
        yield attempt.started_at, 1
        yield attempt.finished_at, -1
