"""A server's command line, and whether it answers."""

import random
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

_PORTS = range(10_000, 32_000)
_TRIES = 100
# A generator of its own: two processes that seed the common one alike would come upon the same ports.
_candidates = cycle(random.Random().sample(_PORTS, len(_PORTS)))


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
    """
    for port in islice(_candidates, _TRIES):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError(f"no free port of loopback between {_PORTS.start} and {_PORTS.stop}")


def answers(port: int, question: bytes, start_of_answer: bytes | tuple[bytes, ...]) -> bool:
    """Whether the server at *port* of loopback answers *question* as it does when it is up."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5) as connection:
            connection.sendall(question)
            return connection.recv(64).startswith(start_of_answer)
    except OSError:
        return False
