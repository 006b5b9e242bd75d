"""A job, as a client sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal, cast

import orjson

from gotask import v1
from gotask.jobs.request import STRATEGY_NAMES
from gotask.jobs.states import SUCCESS, TERMINAL, name_of
from gotask.sdk.client.times import at, moment

Status = Literal["scheduled", "pending", "running", "retrying", "success", "failed", "dead", "cancelled", "expired"]

_OUTCOMES = {value: name.removeprefix("OUTCOME_").lower() for name, value in v1.Outcome.items()}


@dataclass(frozen=True, slots=True)
class JobError:
    """Why an attempt failed: the exception's class, or one of Timeout, LeaseLost, UnknownType."""

    type: str
    message: str
    traceback: str


@dataclass(frozen=True, slots=True)
class Progress:
    percent: float
    message: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of a job. *outcome* is success, failure, cancelled, returned or lease_lost."""

    attempt: int
    worker: str
    started_at: datetime | None
    finished_at: datetime | None
    outcome: str
    error: JobError | None


class Job:
    """A job as it stood when it was read. Its attributes are named as in REST; ``message`` is the whole of it."""

    def __init__(self, message: v1.Job) -> None:
        self.message = message
        self._spec = message.spec

    def __repr__(self) -> str:
        return f"<Job {self.id} {self.type} {self.status}>"

    @property
    def id(self) -> str:
        return self._spec.id

    @property
    def type(self) -> str:
        """The name of its handler."""
        return self._spec.type

    @property
    def queue(self) -> str:
        return self._spec.queue

    @property
    def status(self) -> Status:
        return cast("Status", name_of(self.message.state))

    @property
    def ended(self) -> bool:
        """Whether it stays as it is, unless somebody retries it by hand."""
        return self.message.state in TERMINAL

    @property
    def succeeded(self) -> bool:
        return self.message.state == SUCCESS

    @cached_property
    def payload(self) -> Any:
        """The JSON it was submitted with."""
        return orjson.loads(self._spec.payload) if self._spec.payload else None

    @cached_property
    def result(self) -> Any:
        """What its handler returned, as JSON; None while it has not succeeded."""
        return orjson.loads(self.message.result) if self.message.result else None

    @property
    def error(self) -> JobError | None:
        """Of its newest attempt."""
        attempts = self.message.history.attempts
        return _error(attempts[-1]) if attempts else None

    @property
    def progress(self) -> Progress | None:
        if not self.message.HasField("progress"):
            return None
        progress = self.message.progress
        return Progress(round(progress.percent, 6), progress.message, at(progress.at_us))

    @property
    def attempts(self) -> int:
        """How often it was begun; attempts that were handed back, or came before a retry by hand, do not count."""
        return self.message.attempt - self.message.attempts_forgiven

    @property
    def history(self) -> Sequence[Attempt]:
        """Its attempts that have ended, oldest first."""
        return tuple(_attempt(each) for each in self.message.history.attempts)

    @property
    def priority(self) -> int:
        return self._spec.priority

    @property
    def max_retries(self) -> int | None:
        """None while the queue's value has not been filled in."""
        return self._spec.retry.max_retries if self._spec.retry.HasField("max_retries") else None

    @property
    def retry_strategy(self) -> str | None:
        return STRATEGY_NAMES.get(self._spec.retry.strategy)

    @property
    def timeout(self) -> timedelta | None:
        """Of one attempt."""
        return timedelta(microseconds=self._spec.timeout_us) if self._spec.timeout_us else None

    @property
    def created_at(self) -> datetime | None:
        return moment(self._spec.created_at_us)

    @property
    def scheduled_at(self) -> datetime | None:
        return moment(self._spec.scheduled_at_us)

    @property
    def expires_at(self) -> datetime | None:
        return moment(self._spec.expires_at_us)

    @property
    def due_at(self) -> datetime | None:
        """When a scheduled or retrying job becomes pending."""
        return moment(self.message.due_at_us)

    @property
    def started_at(self) -> datetime | None:
        return moment(self.message.started_at_us)

    @property
    def finished_at(self) -> datetime | None:
        return moment(self.message.finished_at_us)

    @property
    def worker(self) -> str:
        """Who runs it, or ran it last."""
        return self.message.worker

    @property
    def cancel_requested(self) -> bool:
        return self.message.cancel_requested

    @property
    def idempotency_key(self) -> str:
        return self._spec.idempotency_key

    @property
    def unique_key(self) -> str:
        return self._spec.unique_key

    @property
    def tags(self) -> Sequence[str]:
        return tuple(self._spec.tags)

    @property
    def metadata(self) -> Mapping[str, str]:
        return MappingProxyType(dict(self._spec.metadata))


def _error(attempt: v1.Attempt) -> JobError | None:
    if not attempt.HasField("error"):
        return None
    return JobError(attempt.error.type, attempt.error.message, attempt.error.traceback)


def _attempt(attempt: v1.Attempt) -> Attempt:
    return Attempt(
        attempt=attempt.attempt,
        worker=attempt.worker,
        started_at=moment(attempt.started_at_us),
        finished_at=moment(attempt.finished_at_us),
        outcome=_OUTCOMES[attempt.outcome],
        error=_error(attempt),
    )
