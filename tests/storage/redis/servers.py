"""Servers with settings of their own, and what tests tell them."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from gotask.embedded import free_port, valkey_server
from gotask.embedded.server import answers
from tests.support.servers import ServerProcess


@contextmanager
def running(data: Path, *options: str) -> Iterator[ServerProcess]:
    """A server with further options, such as ``"--requirepass", "secret"``."""
    command = valkey_server(data, free_port())
    server = ServerProcess(
        dataclasses.replace(
            command,
            argv=[*command.argv, *options],
            ready=lambda: answers(command.port, b"PING\r\n", (b"+PONG", b"-NOAUTH")),
        )
    )
    server.start()
    try:
        yield server
    finally:
        server.kill()


def tell(server: ServerProcess, *command: str | int, **credentials: str) -> Any:
    """The answer to one command."""
    with client_of(server, **credentials) as client:
        return client.execute_command(*command)


@contextmanager
def configured(server: ServerProcess, **settings: str | int) -> Iterator[None]:
    """The server with other settings meanwhile; ``_`` stands for ``-`` in their names."""
    names = {name.replace("_", "-"): value for name, value in settings.items()}
    with client_of(server) as client:
        before = {name: client.config_get(name)[name] for name in names}
        for name, value in names.items():
            client.config_set(name, value)
        try:
            yield
        finally:
            for name, value in before.items():
                client.config_set(name, value)


def client_of(server: ServerProcess, **credentials: Any) -> Any:
    """A client that blocks."""
    return redis.Redis(port=server.command.port, decode_responses=True, protocol=2, **credentials)
