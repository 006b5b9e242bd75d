"""What is told of an attempt that failed."""

import traceback

from gotask import v1

_MAX_MESSAGE = 4 * 1024
_MAX_TRACEBACK = 16 * 1024


def describe(error: BaseException) -> v1.JobError:
    """Type, message and traceback of *error*, without GoTask's own frames at the top, each cut to a bound."""
    own_frame = error.__traceback__
    frames = own_frame.tb_next if own_frame is not None else None
    text = "".join(traceback.format_exception(type(error), error, frames))
    return v1.JobError(
        type=type(error).__name__, message=_clean(str(error)[:_MAX_MESSAGE]), traceback=_clean(text[-_MAX_TRACEBACK:])
    )


def plain(error_type: str, message: str) -> v1.JobError:
    """One of GoTask's own errors."""
    return v1.JobError(type=error_type, message=message[:_MAX_MESSAGE])


def _clean(text: str) -> str:
    """Without lone surrogates, which protobuf does not take."""
    return text.encode(errors="replace").decode()
