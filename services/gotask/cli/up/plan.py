"""Which children there are, in which order, with which settings."""

import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass

from gotask.cli.up.children import Child, answers_ready
from gotask.cli.up.options import UpOptions, port_or_free
from gotask.embedded import ServerCommand, free_port, nats_server, postgres_server, valkey_server

_DEFAULT_GRPC_PORT = 50051


class PortTaken(Exception):
    """Somebody listens there already; the text names the option to change."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The children in groups, and where everything will be found."""

    groups: list[list[Child]]
    addresses: dict[str, str]
    environment: dict[str, str]


def make_plan(options: UpOptions, *, strict_ports: bool = True) -> Plan:
    """Servers first, then the queue-managers, then what stands on them; the gateway last, so that it is stopped first.

    A port that is in use raises PortTaken, or with *strict_ports* off gives way to one that is free.
    """
    port = _free if strict_ports else _free_or_another
    http_port = port(options.http_port, "--http-port")
    grpc_port = _grpc_port(options)
    metrics_port = port(options.metrics_port, "--metrics-port")
    environment = {
        "GOTASK_HTTP_PORT": str(http_port),
        "GOTASK_GRPC_PORT": str(grpc_port),
        "GOTASK_METRICS_PORT": str(metrics_port),
        "GOTASK_LOG_FORMAT": "console",
        "GOTASK_STORAGE": options.storage,
    }
    addresses = {
        "REST": f"http://127.0.0.1:{http_port}/api/v1",
        "gRPC": f"127.0.0.1:{grpc_port}",
        "API documents": f"http://127.0.0.1:{http_port}/docs",
        "Metrics": f"http://127.0.0.1:{metrics_port}/metrics",
    }
    servers = []
    nats_url = options.nats_url
    if not nats_url:
        command = nats_server(options.data / "nats", port(options.nats_port, "--nats-port"))
        nats_url = command.address
        servers.append(_server(command))
    environment["GOTASK_NATS_URL"] = addresses["NATS"] = nats_url
    if options.storage == "redis":
        redis_addr = options.redis_addr
        if not redis_addr:
            command = valkey_server(options.data / "valkey", port(options.redis_port, "--redis-port"))
            redis_addr = command.address
            servers.append(_server(command))
        environment["GOTASK_REDIS_ADDR"] = addresses["Valkey"] = redis_addr
    elif options.storage == "postgres":
        servers += _postgres(options, port, addresses, environment)
    groups = [servers, *(_services(options, environment) if options.storage != "memory" else [])]
    return Plan(groups, addresses, environment)


def _postgres(
    options: UpOptions, port: Callable[[int, str], int], addresses: dict[str, str], environment: dict[str, str]
) -> list[Child]:
    """The server, unless a running one is named; its address is told without what must not be seen."""
    if options.postgres_dsn:
        environment["GOTASK_POSTGRES_DSN"] = options.postgres_dsn
        addresses["PostgreSQL"] = "as GOTASK_POSTGRES_DSN has it"
        return []
    if options.postgres_host:
        environment["GOTASK_POSTGRES_HOST"] = addresses["PostgreSQL"] = options.postgres_host
        return []
    data = options.data / "postgres"
    command = postgres_server(data, port(options.postgres_port, "--postgres-port"))
    environment["GOTASK_POSTGRES_DSN"] = command.address
    addresses["PostgreSQL"] = f"127.0.0.1:{command.port}, its connection string in {data / 'dsn'}"
    return [_server(command)]


def _services(options: UpOptions, environment: dict[str, str]) -> list[list[Child]]:
    worker = [options.worker_app] if options.worker_app else []
    worker += ["--queues", options.queues, "--concurrency", str(options.concurrency)]
    managers = [_service(_numbered("queue-manager", i), [], environment) for i in range(options.queue_managers)]
    workers = [_service(_numbered("worker", i), worker, environment) for i in range(options.workers)]
    return [
        managers,
        [_service("metrics", [], environment), *workers, _service("scheduler", [], environment)],
        [_service("gateway", [], environment)],
    ]


def _numbered(name: str, index: int) -> str:
    return f"{name}-{index + 1}" if index else name


def _service(name: str, arguments: list[str], environment: dict[str, str]) -> Child:
    port = free_port()
    service = name.rstrip("-0123456789")
    argv = [sys.executable, "-m", "gotask.cli", service, *arguments, "--health-port", str(port)]
    return Child(name, argv, answers_ready(port), environment)


def _server(command: ServerCommand) -> Child:
    async def ready() -> bool:
        return command.ready()

    return Child(command.name, command.argv, ready, command.environment, stop_signal=command.stop_signal)


def _free(port: int, option: str) -> int:
    chosen = port_or_free(port)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", chosen))
        except OSError:
            raise PortTaken(f"port {chosen} is taken; choose another with {option} (0: any that is free)") from None
    return chosen


def _grpc_port(options: UpOptions) -> int:
    if options.grpc_port is None:
        return _free_or_another(_DEFAULT_GRPC_PORT, "--grpc-port")
    return _free(options.grpc_port, "--grpc-port")


def _free_or_another(port: int, option: str) -> int:
    try:
        return _free(port, option)
    except PortTaken:
        return free_port()
