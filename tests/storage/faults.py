"""Backends whose server a test may cut off, kill and start again. One that is added to BREAKABLE joins every test."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gotask.embedded import free_port, valkey_server
from gotask.storage.contract import Storage
from gotask.storage.postgres import PostgresAddress, PostgresStorage
from gotask.storage.redis import RedisStorage
from tests.support.servers import ServerProcess, postgres_process


@dataclass(frozen=True)
class Breakable:
    """A server that keeps what it has confirmed, and how to reach it through a port of loopback."""

    server: ServerProcess
    storage_at: Callable[[int, str], Storage]
    """Makes a storage that is not open yet, from a port and a namespace."""


@contextmanager
def _redis(data: Path) -> Iterator[Breakable]:
    server = ServerProcess(valkey_server(data, free_port()))
    server.start()
    try:
        yield Breakable(server, lambda port, namespace: RedisStorage(f"127.0.0.1:{port}", namespace))
    finally:
        server.kill()


@contextmanager
def _postgres(_: Path) -> Iterator[Breakable]:
    with postgres_process() as server:
        ours = f":{server.command.port}/"
        yield Breakable(
            server,
            lambda port, namespace: PostgresStorage(
                PostgresAddress(server.address.replace(ours, f":{port}/")), namespace
            ),
        )


BREAKABLE: dict[str, Callable[[Path], AbstractContextManager[Breakable]]] = {"redis": _redis, "postgres": _postgres}
