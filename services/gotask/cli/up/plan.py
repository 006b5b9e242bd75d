"""Which children there are, in which order, with which settings."""

import importlib.util
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass

from gotask.cli.up.children import Child, answers_ready
from gotask.cli.up.options import UpOptions, port_or_free
from gotask.embedded import ServerCommand, free_port, nats_server, postgres_server, valkey_server

_DEFAULT_GRPC_PORT = 50051
_DEFAULT_DASHBOARD_PORT = 3000
_NO_DASHBOARD = "not installed: pip install 'gotask[dashboard]'"


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
    grpc_port = _port_or_another(options.grpc_port, _DEFAULT_GRPC_PORT, "--grpc-port")
    metrics_port = port(options.metrics_port, "--metrics-port")
    dashboard_port = _dashboard_port(options)
    environment = {
        "GOTASK_HTTP_PORT": str(http_port),
        "GOTASK_GRPC_PORT": str(grpc_port),
        "GOTASK_METRICS_PORT": str(metrics_port),
        "GOTASK_DASHBOARD_PORT": str(dashboard_port),
        "GOTASK_GATEWAY_URL": f"http://127.0.0.1:{http_port}",
        "GOTASK_LOG_FORMAT": "console",
        "GOTASK_STORAGE": options.storage,
    }
    addresses = {
        "Dashboard": f"http://127.0.0.1:{dashboard_port}" if dashboard_port else _NO_DASHBOARD,
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
    worker += ["--queues", options.worker_queues] if options.worker_queues else []
    worker += ["--concurrency", str(options.concurrency)]
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


def _dashboard_port(options: UpOptions) -> int:
    """0 where the dashboard is not installed."""
    if importlib.util.find_spec("nicegui") is None:
        return 0
    return _port_or_another(options.dashboard_port, _DEFAULT_DASHBOARD_PORT, "--dashboard-port")


def _port_or_another(port: int | None, default: int, option: str) -> int:
    return _free_or_another(default, option) if port is None else _free(port, option)


def _free_or_another(port: int, option: str) -> int:
    try:
        return _free(port, option)
    except PortTaken:
        return free_port()
