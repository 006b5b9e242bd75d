"""What can go wrong on the bus, in the vocabulary of gRPC's status codes."""

from enum import IntEnum

from gotask import v1


class Code(IntEnum):
    """The codes of google.rpc.Code that GoTask uses."""

    OK = 0
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    INTERNAL = 13
    UNAVAILABLE = 14
    UNAUTHENTICATED = 16


class BusError(Exception):
    """Something between the parts of GoTask failed."""


class BusUnavailable(BusError):
    """The broker did not take the message in time. It may or may not have been stored: repeat it under the same id."""


class StreamFull(BusError):
    """The stream is at its limit: nothing was stored."""


class MessageTooLarge(BusError):
    """The message is larger than the broker takes: nothing was sent."""


class UnusableCredentials(BusError):
    """What is to prove to the broker who we are cannot; the text says why."""


class CommandError(BusError):
    """A command was refused. *field* is the path of the input that was wrong, or empty."""

    def __init__(self, code: Code, message: str, field: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field

    def status(self) -> v1.Status:
        return v1.Status(code=self.code, message=self.message, field=self.field)

    @classmethod
    def from_status(cls, status: v1.Status) -> "CommandError":
        return cls(Code(status.code), status.message, status.field)
