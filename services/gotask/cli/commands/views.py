"""How people see jobs, queues and workers."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from rich.markup import escape
from rich.table import Table

from gotask.cli.commands.output import record, table
from gotask.jobs.durations import format_us
from gotask.sdk.client.event import JobEvent
from gotask.sdk.client.job import Attempt, Job
from gotask.sdk.client.queue import Queue, QueueStats
from gotask.sdk.client.worker import Worker

_COLOURS = {
    "success": "green",
    "running": "cyan",
    "retrying": "yellow",
    "failed": "red",
    "dead": "red",
    "cancelled": "magenta",
    "expired": "magenta",
    "succeeded": "green",
    "started": "cyan",
}
_LONGEST_CELL = 60


def coloured(word: str) -> str:
    colour = _COLOURS.get(word)
    return f"[{colour}]{word}[/{colour}]" if colour else word


def age(moment: datetime | None) -> str:
    """How long ago, or how far ahead, in one unit."""
    if moment is None:
        return ""
    seconds = (datetime.now(UTC) - moment).total_seconds()
    ahead, seconds = seconds < 0, abs(seconds)
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= 2 * length:
            return f"{'in ' if ahead else ''}{seconds // length:.0f}{unit}"
    return f"{'in ' if ahead else ''}{seconds:.0f}s"


def duration(value: timedelta | None) -> str:
    return "" if value is None else format_us(value // timedelta(microseconds=1))


def json_cell(value: Any) -> str:
    """JSON, cut to what a column holds."""
    return short(orjson.dumps(value).decode()) if value is not None else ""


def short(text: str) -> str:
    first = text.partition("\n")[0]
    return escape(first if len(first) <= _LONGEST_CELL else f"{first[:_LONGEST_CELL]}…")


def job_table(jobs: Iterable[Job]) -> Table:
    return table(
        ("ID", "TYPE", "QUEUE", "STATUS", "TRIES>", "AGE>", "RESULT"),
        (
            (job.id, escape(job.type), job.queue, coloured(job.status), job.attempts, age(job.created_at), outcome(job))
            for job in jobs
        ),
    )


def outcome(job: Job) -> str:
    """Its result, or its newest error, or how far it is."""
    if job.succeeded:
        return json_cell(job.result)
    if job.error is not None:
        return short(f"{job.error.type}: {job.error.message}")
    if job.progress is not None:
        return short(f"{job.progress.percent:g} % {job.progress.message}")
    return f"due {age(job.due_at)}" if job.due_at else ""


def job_record(job: Job) -> Table:
    fields: list[tuple[str, object]] = [
        ("id", job.id),
        ("type", escape(job.type)),
        ("queue", job.queue),
        ("status", coloured(job.status) + (" (cancellation asked for)" if job.cancel_requested else "")),
        ("priority", job.priority),
        ("payload", escape(_json(job.payload))),
        ("result", escape(_json(job.result))),
        ("progress", f"{job.progress.percent:g} % {escape(job.progress.message)}" if job.progress else None),
        ("attempts", f"{job.attempts} of {job.max_retries + 1 if job.max_retries is not None else '?'}"),
        ("timeout", duration(job.timeout)),
        ("created", job.created_at),
        ("scheduled for", job.scheduled_at),
        ("due", job.due_at),
        ("expires", job.expires_at),
        ("started", job.started_at),
        ("finished", job.finished_at),
        ("worker", escape(job.worker)),
        ("idempotency key", escape(job.idempotency_key)),
        ("unique key", escape(job.unique_key)),
        ("tags", escape(", ".join(job.tags))),
        ("metadata", escape(_json(dict(job.metadata))) if job.metadata else None),
    ]
    fields += [(f"attempt {each.attempt}", attempt_line(each)) for each in job.history]
    return record(fields)


def attempt_line(attempt: Attempt) -> str:
    took = attempt.finished_at - attempt.started_at if attempt.finished_at and attempt.started_at else None
    line = f"{coloured(attempt.outcome)} on {escape(attempt.worker) or 'nobody'}"
    line += f" after {duration(took)}" if took is not None else ""
    if attempt.error is not None:
        line += f": {escape(attempt.error.type)}: {escape(attempt.error.message)}"
    return line


def queue_table(queues: Iterable[Queue]) -> Table:
    return table(
        ("NAME", "PRIORITY>", "WEIGHT>", "WORKERS>", "LENGTH>", "RATE/S>", "RETRIES>", "TIMEOUT>", ""),
        (
            (
                each.name,
                each.priority,
                each.weight,
                each.max_workers or "-",
                each.max_length or "-",
                f"{each.rate_limit:g}" if each.rate_limit else "-",
                f"{each.max_retries} {each.retry_strategy}",
                duration(each.timeout),
                "[yellow]paused[/yellow]" if each.paused else "",
            )
            for each in queues
        ),
    )


def queue_record(queue: Queue) -> Table:
    names = [name for name in queue.__slots__ if name != "message"]
    values = ((name, getattr(queue, name)) for name in names)
    return record(
        (name.replace("_", " "), duration(value) if isinstance(value, timedelta) else value) for name, value in values
    )


def stats_table(stats: Iterable[QueueStats]) -> Table:
    return table(
        (
            "QUEUE",
            "PENDING>",
            "RUNNING>",
            "SCHEDULED>",
            "RETRYING>",
            "DEAD>",
            "DONE>",
            "FAILED>",
            "PER MIN>",
            "WORKERS>",
            "OLDEST>",
            "",
        ),
        (
            (
                each.name,
                each.pending_jobs,
                each.running_jobs,
                each.scheduled,
                each.retrying,
                f"[red]{each.dead}[/red]" if each.dead else 0,
                each.completed_jobs,
                each.failed_jobs,
                each.throughput_per_min,
                each.workers,
                f"{each.oldest_pending_age_seconds:.1f}s" if each.oldest_pending_age_seconds else "",
                "[yellow]paused[/yellow]" if each.paused else "",
            )
            for each in stats
        ),
    )


def worker_table(workers: Iterable[Worker]) -> Table:
    return table(
        ("ID", "HOST", "PID>", "BUSY>", "OF>", "QUEUES", "TYPES", "UP>", "SEEN>", ""),
        (
            (
                escape(each.id),
                escape(each.hostname),
                each.pid,
                each.running,
                each.concurrency,
                short(",".join(each.queues)),
                short(",".join(each.types)),
                age(each.started_at),
                age(each.seen_at),
                "[yellow]draining[/yellow]" if each.draining else "",
            )
            for each in workers
        ),
    )


def worker_record(worker: Worker) -> Table:
    return record(
        (
            ("id", escape(worker.id)),
            ("host", escape(worker.hostname)),
            ("pid", worker.pid or ""),
            ("queues", ", ".join(worker.queues)),
            ("types", escape(", ".join(worker.types))),
            ("concurrency", worker.concurrency),
            ("running", worker.running),
            ("draining", "yes" if worker.draining else "no"),
            ("version", escape(worker.version)),
            ("started", age(worker.started_at)),
            ("seen", age(worker.seen_at)),
        )
    )


def state_line(job: Job) -> str:
    return f"{job.id} is {coloured(job.status)}"


def event_line(event: JobEvent) -> str:
    """One line: when, what, which job, and what there is to say of it."""
    told = []
    if event.attempt:
        told.append(f"attempt {event.attempt}")
    if event.worker:
        told.append(f"on {escape(event.worker)}")
    if event.wait is not None:
        told.append(f"waited {duration(event.wait)}")
    if event.run is not None:
        told.append(f"ran {duration(event.run)}")
    if event.progress is not None:
        told.append(f"{event.progress.percent:g} % {escape(event.progress.message)}")
    if event.error is not None:
        told.append(short(f"{event.error.type}: {event.error.message}"))
    at = event.at.strftime("%H:%M:%S.%f")[:-3]
    return f"{at} {event.job_id} {event.queue} {escape(event.type) or '-'} {coloured(event.kind)} {', '.join(told)}"


def _json(value: Any) -> str:
    return "" if value is None else orjson.dumps(value).decode()
