"""A master, its replicas and a Sentinel."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from gotask.embedded import ServerCommand, free_port, valkey_server
from tests.storage.redis.servers import client_of, running, tell
from tests.support.servers import ServerProcess
from tests.support.waiting import wait_until_blocking


class Fleet:
    """Three servers, one of which is the master, and who watches them."""

    def __init__(self, servers: Sequence[ServerProcess], sentinel: ServerProcess) -> None:
        self.servers = {str(server.command.port): server for server in servers}
        self.sentinel = sentinel

    def master(self) -> ServerProcess:
        return self.servers[tell(self.sentinel, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main")[1]]

    def replicas(self) -> list[ServerProcess]:
        master = self.master()
        return [server for server in self.servers.values() if server is not master]

    def address(self) -> str:
        """The first Sentinel of the address is away."""
        return f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{self.sentinel.command.port}/main/0"

    def wait_in_step(self) -> None:
        """Sentinel knows both replicas, and they have all that the master has."""
        wait_until_blocking(lambda: len(tell(self.sentinel, "SENTINEL", "REPLICAS", "main")) == 2, "replicas are known")
        with client_of(self.master()) as master:
            master.publish("anything", "")
            assert master.wait(2, 20_000) == 2


@contextmanager
def running_fleet(data: Path, down_after_ms: int) -> Iterator[Fleet]:
    """The Sentinel takes a master for dead that is silent for *down_after_ms*."""
    with ExitStack() as running_servers:
        at_once = ("--repl-diskless-sync-delay", "0")
        first = running_servers.enter_context(running(data / "a", *at_once))
        follow = (*at_once, "--replicaof", "127.0.0.1", str(first.command.port))
        others = [running_servers.enter_context(running(data / name, *follow)) for name in "bc"]
        sentinel = ServerProcess(_sentinel(data / "s", first.command.port, down_after_ms))
        running_servers.callback(sentinel.kill)
        sentinel.start()
        yield Fleet([first, *others], sentinel)


def _sentinel(data: Path, master: int, down_after_ms: int) -> ServerCommand:
    command = valkey_server(data, free_port())
    config = data / "sentinel.conf"
    config.write_text(
        f"port {command.port}\nbind 127.0.0.1\ndir {data}\n"
        f"sentinel monitor main 127.0.0.1 {master} 1\n"
        f"sentinel down-after-milliseconds main {down_after_ms}\n"
        "sentinel failover-timeout main 3000\n"
    )
    return replace(command, name="sentinel", argv=[command.argv[0], str(config), "--sentinel"])
