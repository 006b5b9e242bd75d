"""Backends whose server a test may cut off, kill and start again. One that is added to BREAKABLE joins every test."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from gotask.embedded import free_port, valkey_server
from gotask.storage.contract import Storage
from gotask.storage.postgres import PostgresAddress, PostgresStorage
from gotask.storage.redis import RedisStorage
from tests.support.servers import ServerProcess, postgres_command, running


@dataclass(frozen=True)
class Breakable:
    """A server that keeps what it has confirmed, and how to reach it through a port of loopback."""

    server: ServerProcess
    storage_at: Callable[[int, str], Storage]
    """Makes a storage that is not open yet, from a port and a namespace."""


@contextmanager
def _redis() -> Iterator[Breakable]:
    with tempfile.TemporaryDirectory(prefix="gotask-breakable-") as data:
        server = ServerProcess(valkey_server(Path(data), free_port()))
        server.start()
        try:
            yield Breakable(server, lambda port, namespace: RedisStorage(f"127.0.0.1:{port}", namespace))
        finally:
            server.kill()


@contextmanager
def _postgres() -> Iterator[Breakable]:
    with postgres_command() as command, running(command) as server:
        address = server.address
        yield Breakable(server, lambda port, namespace: PostgresStorage(_through(address, port), namespace))


def _through(address: str, port: int) -> PostgresAddress:
    split = urlsplit(address)
    user, _, _ = split.netloc.rpartition("@")
    return PostgresAddress(split._replace(netloc=f"{user}@127.0.0.1:{port}").geturl())


BREAKABLE: dict[str, Callable[[], AbstractContextManager[Breakable]]] = {"redis": _redis, "postgres": _postgres}
