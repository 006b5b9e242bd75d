"""A server's command line, and whether it answers."""

import os
import random
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import cycle, islice
from pathlib import Path

_TRIES = 100


@dataclass(frozen=True, slots=True)
class ServerCommand:
    """How to start a server in the foreground, with *environment* added to its caller's; ``ready`` asks once, without
    waiting long. *stop_signal* asks it to stop in order, whoever is connected."""

    name: str
    argv: list[str]
    address: str
    port: int
    data: Path
    ready: Callable[[], bool]
    environment: dict[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM


def free_port() -> int:
    """A TCP port of loopback that nobody listens on right now, and that this process was not given before.

    Not one of those that systems give to connections that go out: while a server is away, its port would be taken.
    Processes that must not come upon the same port are each given a part of their own by ``GOTASK_FREE_PORTS``
    (``10000-20999``), which their children share.
    """
    for port in islice(_candidates(), _TRIES):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError(f"no free port of loopback among {_TRIES} that were tried")


@cache
def _candidates() -> Iterator[int]:
    """By a generator of its own: two processes that seed the common one alike would come upon the same ports."""
    text = os.environ.get("GOTASK_FREE_PORTS", "10000-31999")
    try:
        first, last = map(int, text.split("-"))
    except ValueError:
        raise ValueError(f"GOTASK_FREE_PORTS is {text!r}: give the first and the last, as in 10000-20999") from None
    ports = range(first, last + 1)
    return cycle(random.Random().sample(ports, len(ports)))


def answers(port: int, question: bytes, start_of_answer: bytes | tuple[bytes, ...]) -> bool:
    """Whether the server at *port* of loopback answers *question* as it does when it is up."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5) as connection:
            connection.sendall(question)
            return connection.recv(64).startswith(start_of_answer)
    except OSError:
        return False
