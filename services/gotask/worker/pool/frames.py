"""What a worker and the children of its pool say to each other, and how it looks on the socket.

A frame is one byte for its kind, four for the length of its body, and the body.
"""

import asyncio
import socket
import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from gotask import v1

_HEADER = struct.Struct(">BI")
_ORDER = struct.Struct(">IQ")
_DONE = struct.Struct(">Q")


class Kind(IntEnum):
    """What a frame is."""

    RUN = 1
    """To the child: an :class:`Order`."""
    CANCEL = 2
    """To the child: the job that runs is to end. It gets no other afterwards."""
    EXIT = 3
    """To the child: end after the job that runs."""
    READY = 4
    """From the child: it takes jobs."""
    FAILED = 5
    """From the child: it cannot take jobs; the body says why."""
    PROGRESS = 6
    """From the child: v1.JobProgress of the job that runs."""
    DONE = 7
    """From the child: a :class:`Done`."""


class Order(NamedTuple):
    """A job to run; *deadline_us* is when its attempt times out, in microseconds since the epoch."""

    tries: int
    deadline_us: int
    spec: v1.JobSpec

    def encode(self) -> bytes:
        return _ORDER.pack(self.tries, self.deadline_us) + self.spec.SerializeToString()

    @classmethod
    def decode(cls, body: bytes) -> "Order":
        tries, deadline_us = _ORDER.unpack_from(body)
        return cls(tries, deadline_us, v1.JobSpec.FromString(body[_ORDER.size :]))


class Done(NamedTuple):
    """What became of a job: the outcome, result or error in *result*, and the most bytes of memory that the child has
    used so far."""

    peak_memory: int
    result: v1.JobResult

    def encode(self) -> bytes:
        return _DONE.pack(self.peak_memory) + self.result.SerializeToString()

    @classmethod
    def decode(cls, body: bytes) -> "Done":
        (peak_memory,) = _DONE.unpack_from(body)
        return cls(peak_memory, v1.JobResult.FromString(body[_DONE.size :]))


def encode_frame(kind: Kind, body: bytes = b"") -> bytes:
    return _HEADER.pack(kind, len(body)) + body


async def read_frame(reader: asyncio.StreamReader) -> tuple[Kind, bytes]:
    """EOFError when the other side is gone."""
    try:
        kind, length = _HEADER.unpack(await reader.readexactly(_HEADER.size))
        return Kind(kind), await reader.readexactly(length)
    except OSError as error:
        raise EOFError from error


def frames_of(connection: socket.socket) -> Iterator[tuple[Kind, bytes]]:
    """Frames until the other side is gone."""
    with connection.makefile("rb") as stream:
        while len(header := stream.read(_HEADER.size)) == _HEADER.size:
            kind, length = _HEADER.unpack(header)
            yield Kind(kind), stream.read(length)
