"""The demo's jobs, and how each of them must end."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from gotask.cli.demo.rest import Job, Rest

TERMINAL = frozenset({"success", "failed", "dead", "cancelled", "expired"})
_LOOK_S = 0.1
_PATIENCE_S = 60.0
_BATCH = 1_000


@dataclass(slots=True)
class Group:
    """Jobs that are shown as one line; *problem* says what is wrong with a job that ended."""

    title: str
    jobs: Sequence[Job]
    problem: Callable[[Job], str | None]
    submitted: list[Job] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def done(self) -> int:
        return sum(job["status"] in TERMINAL for job in self.submitted)

    @property
    def problems(self) -> list[str]:
        """What did not end as it should."""
        found = [f"{self.title}: job {job['id']}: {text}" for job in self.submitted if (text := self.problem(job))]
        if len(self.submitted) != len(self.jobs):
            found.append(f"{self.title}: {len(self.submitted)} of {len(self.jobs)} jobs were accepted")
        return found


def groups() -> list[Group]:
    """What the demo runs."""
    later = datetime.now(UTC) + timedelta(seconds=3)
    fail_twice = {
        "type": "fail",
        "payload": {"times": 2, "message": "the demo asked for it"},
        "retry_strategy": "fixed",
        "retry_delay": "500ms",
    }
    multiply = {"type": "math", "payload": {"operation": "multiply", "a": 42, "b": 2}, "priority": 2}
    return [
        Group(
            "echo", [{"type": "echo", "payload": {"message": "Hello, GoTask!"}}], _result({"message": "Hello, GoTask!"})
        ),
        Group("math: 42 x 2", [multiply], _result(84)),
        Group("fails twice, then succeeds", [fail_twice], _third_attempt),
        Group("scheduled 3 s ahead", [{"type": "echo", "scheduled_at": later.isoformat()}], _not_before(later)),
        Group("a batch of 1,000", [{"type": "echo", "payload": n} for n in range(_BATCH)], _success),
    ]


async def run(rest: Rest, demo: Sequence[Group], show: Callable[[], None]) -> None:
    """Submits everything and follows it to its end, or for a minute; *show* is called whenever something moved."""
    began = time.monotonic()
    await asyncio.gather(*(_submit(rest, group) for group in demo))
    while time.monotonic() - began < _PATIENCE_S:
        for group in demo:
            await _look(rest, group, began)
        show()
        if all(group.done == len(group.jobs) for group in demo):
            return
        await asyncio.sleep(_LOOK_S)


async def _submit(rest: Rest, group: Group) -> None:
    if len(group.jobs) == 1:
        group.submitted = [await rest.submit(group.jobs[0])]
    else:
        group.submitted = await rest.submit_many(group.jobs)


async def _look(rest: Rest, group: Group, began: float) -> None:
    open_jobs = [index for index, job in enumerate(group.submitted) if job["status"] not in TERMINAL]
    if not open_jobs:
        return
    found = await asyncio.gather(*(rest.get(group.submitted[index]["id"]) for index in open_jobs[:100]))
    for index, job in zip(open_jobs, found, strict=False):
        group.submitted[index] = job
    group.seconds = time.monotonic() - began


def _success(job: Job) -> str | None:
    return None if job["status"] == "success" else f"ended {job['status']}: {job['error']}"


def _result(expected: Any) -> Callable[[Job], str | None]:
    def problem(job: Job) -> str | None:
        if job["status"] == "success" and job["result"] != expected:
            return f"gave {job['result']!r} instead of {expected!r}"
        return _success(job)

    return problem


def _third_attempt(job: Job) -> str | None:
    if job["status"] == "success" and job["attempts"] != 3:
        return f"took {job['attempts']} attempts instead of 3"
    return _success(job)


def _not_before(moment: datetime) -> Callable[[Job], str | None]:
    def problem(job: Job) -> str | None:
        if job["status"] == "success" and datetime.fromisoformat(job["started_at"]) < moment:
            return f"started at {job['started_at']}, before {moment.isoformat()}"
        return _success(job)

    return problem
