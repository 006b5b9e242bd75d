"""A job's history as it is kept: a serialized v1.History, to which runs are appended by concatenation."""

from functools import lru_cache

from gotask import v1

_ATTEMPTS = b"\x0a"


def history_of(attempt: v1.Attempt) -> bytes:
    """A serialized v1.History with this one attempt, without making the message: half of the cost."""
    data = attempt.SerializeToString()
    return _ATTEMPTS + varint(len(data)) + data


@lru_cache(maxsize=4096)
def varint(number: int) -> bytes:
    """A number as protobuf writes it."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def shorten_history(job: v1.Job, attempts: int) -> None:
    """Only the newest *attempts* stay, without tracebacks: for where there is little room."""
    del job.history.attempts[:-attempts]
    for attempt in job.history.attempts:
        attempt.error.ClearField("traceback")
