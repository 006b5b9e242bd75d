"""Errors as users are told of them, whatever the protocol."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from gotask.bus.errors import BusError, Code, CommandError
from gotask.jobs.field_errors import FieldError, field_errors
from gotask.jobs.validation import InvalidJob
from gotask.storage.contract import StorageUnavailable

RETRY_AFTER_S = {Code.RESOURCE_EXHAUSTED: 5, Code.UNAVAILABLE: 2}
"""What callers who are to come back are told to wait, in seconds."""

_MAX_ERRORS = 20
_MAX_TEXT = 500


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a call failed. *retry_after_s* is set where coming back later helps."""

    code: Code
    detail: str
    errors: Sequence[FieldError] = ()
    retry_after_s: int | None = None

    def below(self, path: str) -> "Refusal":
        """The same for a part of a larger input: its fields begin with *path*."""
        errors = [error.below(path) for error in self.errors]
        return Refusal(self.code, self.detail, errors, self.retry_after_s)


class TooManyCalls(CommandError):
    """The caller is over its rate; *retry_after_s* is when its next call would be taken."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(Code.RESOURCE_EXHAUSTED, message)
        self.retry_after_s = retry_after_s


def refusal_of(error: Exception) -> Refusal:
    """*error* as users are told of it. Errors that are not theirs to know become INTERNAL without details."""
    if isinstance(error, CommandError):
        errors = [FieldError(error.field, error.message)] if error.field else []
        return _refusal(error.code, error.message, errors, getattr(error, "retry_after_s", None))
    if isinstance(error, InvalidJob):
        return invalid([FieldError(error.field, error.reason)])
    if isinstance(error, ValidationError):
        return invalid(field_errors(error.errors(include_url=False, include_context=False, include_input=False)))
    if isinstance(error, StorageUnavailable):
        return _refusal(Code.UNAVAILABLE, "the storage does not answer now")
    if isinstance(error, BusError):
        return _refusal(Code.UNAVAILABLE, str(error))
    return _refusal(Code.INTERNAL, "something went wrong here; the log of the gateway knows more")


def forget_frames(error: Exception) -> None:
    """Lets go of what *error* keeps alive when it has been dealt with.

    A frame that raised an error which it still names holds it, and is held by its traceback: both would live, with the
    whole request, until Python looks for garbage.
    """
    error.__traceback__ = None


def _refusal(code: Code, detail: str, errors: Sequence[FieldError] = (), retry_after_s: int | None = None) -> Refusal:
    return Refusal(code, _shortened(detail), errors, retry_after_s or RETRY_AFTER_S.get(code))


def invalid(errors: Sequence[FieldError]) -> Refusal:
    """The input was read, and some of its fields are wrong."""
    kept = [FieldError(_shortened(field), _shortened(reason)) for field, reason in errors[:_MAX_ERRORS]]
    detail = f"{kept[0].field}: {kept[0].reason}"
    if len(errors) > 1:
        detail = f"{len(errors)} fields are wrong; the first: {detail}"
    return Refusal(Code.INVALID_ARGUMENT, detail, kept)


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…"
