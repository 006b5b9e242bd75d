"""The servers of a session as containers of Docker, with the settings that the embedded ones have."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from urllib.parse import urlsplit

import docker.errors
import pytest
from testcontainers.core.container import DockerContainer

from gotask.embedded import ServerCommand
from tests.support.servers import Server
from tests.support.waiting import wait_until_blocking

_NATS = "nats:2.14-alpine"
_VALKEY = "valkey/valkey:9.0-alpine"
_POSTGRES = "postgres:18-alpine"
_START_S = 60


def container(command: ServerCommand) -> AbstractContextManager[Server]:
    """What *command* starts as a process, at the same address and with the same settings.

    Ends the session where no engine answers: whoever asked for containers wants no other servers.
    """
    try:
        return _running(_CONTAINERS[command.name](command), command)
    except docker.errors.DockerException as error:
        pytest.exit(
            f"GOTASK_TEST_SERVERS=containers, but no Docker engine answers: {error}", pytest.ExitCode.USAGE_ERROR
        )


def _nats(command: ServerCommand) -> DockerContainer:
    argv = ["nats-server", *command.argv[1:], "--addr", "0.0.0.0"]
    return _with_our_files(DockerContainer(_NATS), command).with_command(argv)


def _valkey(command: ServerCommand) -> DockerContainer:
    argv = ["valkey-server", *command.argv[1:], "--bind", "0.0.0.0", "--protected-mode", "no"]
    return _with_our_files(DockerContainer(_VALKEY), command).with_command(argv)


def _postgres(command: ServerCommand) -> DockerContainer:
    """The image makes the cluster, and keeps it inside."""
    settings = command.argv[command.argv.index("-c") :]
    to_all = ["-c", "listen_addresses=*", "-c", "unix_socket_directories=/var/run/postgresql"]
    address = urlsplit(command.address)
    variables = {
        "POSTGRES_USER": address.username or "",
        "POSTGRES_PASSWORD": address.password or "",
        "POSTGRES_DB": address.path[1:],
        "POSTGRES_INITDB_ARGS": "--encoding=UTF8 --locale=C",
    }
    return DockerContainer(_POSTGRES).with_envs(**variables).with_command(["postgres", *settings, *to_all])


_CONTAINERS: Mapping[str, Callable[[ServerCommand], DockerContainer]] = {
    "nats": _nats,
    "valkey": _valkey,
    "postgres": _postgres,
}
"""By the command's name."""


def _with_our_files(container: DockerContainer, command: ServerCommand) -> DockerContainer:
    """What is written is where *command* says, and belongs to us."""
    user = f"{os.getuid()}:{os.getgid()}"
    return container.with_volume_mapping(command.data, str(command.data), "rw").with_kwargs(user=user)


@contextmanager
def _running(container: DockerContainer, command: ServerCommand) -> Iterator[Server]:
    """It has the same port inside and outside."""
    with container.with_bind_ports(command.port, command.port):
        wait_until_blocking(command.ready, f"{command.name} answers in {container.image}", _START_S)
        yield Server(command)
