"""Arguments and options that several commands have."""

from datetime import datetime
from typing import Annotated, Any

import typer

_FORMATS = ["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z"]
_NO_LIMIT = "0 is no limit."


def duration_option(text: str, *flags: str) -> Any:
    """An option whose value is a duration such as 90s."""
    return typer.Option(*flags, help=text, metavar="DURATION", callback=_checked_duration)


def _checked_duration(value: str | None) -> str | None:
    if value:
        from gotask.jobs.durations import parse_us

        try:
            parse_us(value)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
    return value


JobId = Annotated[str, typer.Argument(metavar="ID", help="The job's id.", show_default=False)]
JobIds = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of jobs.", show_default=False)]
QueueName = Annotated[str, typer.Argument(metavar="NAME", help="The queue's name.", show_default=False)]
QueueNames = Annotated[list[str], typer.Argument(metavar="NAME...", help="Names of queues.", show_default=False)]
ScheduleId = Annotated[str, typer.Argument(metavar="ID", help="The schedule's id.", show_default=False)]
ScheduleIds = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of schedules.", show_default=False)]
WorkerId = Annotated[str, typer.Argument(metavar="ID", help="The worker's id.", show_default=False)]
WorkerIds = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of workers.", show_default=False)]
WaitTimeout = Annotated[
    str, duration_option("How long to wait at most; as long as it takes, if not given.", "--timeout")
]
Moment = Annotated[
    datetime | None, typer.Option(formats=_FORMATS, metavar="TIME", help="With its zone, such as 2030-01-31T09:00:00Z.")
]


def _text(text: str, metavar: str | None = None) -> Any:
    return Annotated[str | None, typer.Option(help=text, metavar=metavar)]


def _duration(text: str) -> Any:
    return Annotated[str | None, duration_option(text)]


def _whole(text: str) -> Any:
    return Annotated[int | None, typer.Option(help=text)]


def _number(text: str) -> Any:
    return Annotated[float | None, typer.Option(help=text)]


RETRIES = {
    "max_retries": _whole("Attempts after the first."),
    "retry_strategy": _text("How the delay grows.", "exponential|linear|fixed"),
    "retry_delay": _duration("Delay before the first retry."),
    "max_retry_delay": _duration("No delay is longer than this."),
    "retry_jitter": _number("The delay varies by up to this share of itself, 0 to 1."),
}
"""How often and when a failed job is tried again."""

JOB = {
    "queue": _text("The queue; default, if not given."),
    "priority": _whole("0 to 255, higher first; 1, if not given."),
    "delay": _duration("Runs no earlier than this long from now."),
    "scheduled_at": Moment,
    "ttl": _duration("Does not start later than this long from now."),
    "expires_at": Moment,
    "timeout": _duration("One attempt's limit."),
    **RETRIES,
    "idempotency_key": _text("A second job with this key is the first."),
    "unique_key": _text("At most one job with this key is not finished."),
    "tag": Annotated[list[str] | None, typer.Option(help="For filtering; may be repeated.")],
    "metadata": Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="For the handler; may be repeated.")
    ],
}
"""What may be said of a job."""

SCHEDULE = {
    "timezone": _text("IANA name of the time zone in which CRON is meant; UTC, if not given."),
    "missed": _text("What becomes of ticks that nobody was there for.", "skip|one|all"),
    "overlap": _text("Whether a tick fires while the last job is not finished.", "allow|skip"),
    "starts_at": Moment,
    "ends_at": Moment,
    "jitter": _duration("Each job waits up to this long after its tick."),
    "ttl": _duration("Each job does not start later than this long after its tick."),
    **{name: JOB[name] for name in ("queue", "priority", "timeout", *RETRIES, "unique_key", "tag", "metadata")},
}
"""What may be said of a schedule, and of its jobs."""

SCHEDULE_CHANGES = {
    "name": _text("Unlike that of any other schedule."),
    "cron_expr": Annotated[str | None, typer.Option("--cron", help="Five fields, six, or '@every 90s'.")],
    "job_type": Annotated[str | None, typer.Option("--type", help="The handler's name.")],
    "payload": _text("The jobs' payload.", "JSON"),
    **SCHEDULE,
}
"""All that can be changed of a schedule."""

QUEUE = {
    "max_workers": _whole(f"Jobs running at once over the whole fleet; {_NO_LIMIT}"),
    "max_length": _whole(f"Jobs waiting; more are refused; {_NO_LIMIT}"),
    "rate_limit": _number(f"Jobs started per second over the whole fleet; {_NO_LIMIT}"),
    "priority": _whole("0 to 255: workers take from the highest first."),
    "weight": _whole("Share between queues of equal priority."),
    **RETRIES,
    "timeout": _duration("One attempt's limit."),
    "dead_letter": Annotated[
        bool | None, typer.Option(help="Whether a job with no attempt left is kept as a dead letter.")
    ],
    "lease": _duration("How long a silent worker keeps a job."),
    "retention_success": _duration("How long jobs are kept that ended in success."),
    "retention_other": _duration("How long jobs are kept that ended otherwise."),
}
"""A queue's settings."""

CRITERIA = {
    "status": Annotated[list[str] | None, typer.Option(help="In this state; may be repeated.")],
    "queue": _text("Of this queue."),
    "type": _text("Of this type."),
    "tag": _text("With this tag."),
    "created_from": Moment,
    "created_before": Moment,
}
"""Which jobs."""

DEAD = {
    "type": _text("Of this type."),
    "error_type": _text("Whose last attempt ended in this error, such as ValueError."),
}
"""Which dead letters."""
