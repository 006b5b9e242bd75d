"""What is told of an attempt that failed."""

import traceback
from types import TracebackType

from gotask import v1
from gotask.sdk.errors import Cancelled, NoRetry, RemoteError, Retry

_MAX_MESSAGE = 4 * 1024
_MAX_TRACEBACK = 16 * 1024
_OWN = ("gotask.worker.", "gotask.sdk.", "concurrent.futures.", "asyncio.")
_HANDLERS = "gotask.worker.builtin"


class FailedInProcess(RemoteError):
    """A handler in a process has failed; *judged* is what the process made of it."""

    def __init__(self, judged: v1.JobResult) -> None:
        error = judged.attempt.error
        super().__init__(error.type, error.message, error.traceback)
        self.judged = judged


def judge(result: v1.JobResult, error: BaseException, no_retry_on: tuple[type[BaseException], ...]) -> None:
    """Writes into *result* what it means that a handler raised *error*."""
    if isinstance(error, FailedInProcess):
        result.MergeFrom(error.judged)
        return
    if isinstance(error, Cancelled):
        result.attempt.outcome = v1.OUTCOME_CANCELLED
        return
    result.attempt.outcome = v1.OUTCOME_FAILURE
    result.attempt.error.CopyFrom(describe(error))
    if isinstance(error, Retry):
        result.retry_after_us = error.after_us
    elif isinstance(error, (NoRetry, *no_retry_on)):
        result.no_retry = True


def describe(error: BaseException) -> v1.JobError:
    """Type, message and traceback of *error*, without GoTask's own frames at the top, each cut to a bound."""
    text = "".join(traceback.format_exception(type(error), error, _without_own(error.__traceback__)))
    return v1.JobError(
        type=type(error).__name__, message=_clean(_message(error)), traceback=_clean(text[-_MAX_TRACEBACK:])
    )


def plain(error_type: str, message: str) -> v1.JobError:
    """One of GoTask's own errors."""
    return v1.JobError(type=error_type, message=message[:_MAX_MESSAGE])


def _message(error: BaseException) -> str:
    try:
        return str(error)[:_MAX_MESSAGE]
    except Exception as failure:
        return f"its text cannot be had: {type(failure).__name__}"


def _without_own(frames: TracebackType | None) -> TracebackType | None:
    while frames is not None:
        module = frames.tb_frame.f_globals.get("__name__", "")
        if module == _HANDLERS or not module.startswith(_OWN):
            break
        frames = frames.tb_next
    return frames


def _clean(text: str) -> str:
    """Without lone surrogates, which protobuf does not take."""
    return text.encode(errors="replace").decode()
