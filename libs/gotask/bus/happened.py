"""What the messages of the event stream tell, and the places in it."""

import re
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import structlog
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg

from gotask import v1
from gotask.bus.errors import Code, CommandError
from gotask.bus.job_events import job_events

_log = structlog.get_logger("gotask.bus")

_CURSOR = re.compile(r"(\d{1,19})(?:\.(\d{1,9}))?")


class Cursor(NamedTuple):
    """A place in the event stream: after the first *events* events of the message after *sequence*.

    As text "41", or "41.7".
    """

    sequence: int
    events: int = 0

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """INVALID_ARGUMENT for a text that is none."""
        found = _CURSOR.fullmatch(text)
        if found is None:
            raise CommandError(Code.INVALID_ARGUMENT, "is not a cursor of this stream", "cursor")
        return cls(int(found[1]), int(found[2] or 0))

    def __str__(self) -> str:
        return f"{self.sequence}.{self.events}" if self.events else str(self.sequence)


class Happened(NamedTuple):
    """Events that were recorded together, each with the cursor after it; *gap*: some before them are kept no longer."""

    events: Sequence[tuple[Cursor, v1.JobEvent]]
    after: Cursor
    gap: bool = False


def read_events(message: Msg, place: Cursor) -> Happened:
    """The events of *message* that come after *place*."""
    sequence = message.metadata.sequence.stream
    skip = place.events if sequence == place.sequence + 1 else 0
    try:
        batches = v1.JobEvents.FromString(message.data).batches
    except DecodeError as error:
        _log.warning("events not understood", subject=message.subject, error=str(error))
        return Happened((), Cursor(sequence))
    events = list(chain.from_iterable(map(job_events, batches)))
    last = len(events) - 1
    return Happened(
        [
            (Cursor(sequence) if index == last else Cursor(sequence - 1, index + 1), event)
            for index, event in enumerate(events)
            if index >= skip
        ],
        Cursor(sequence),
    )
