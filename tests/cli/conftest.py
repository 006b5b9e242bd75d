"""GoTask as ``gotask up`` starts it, and its commands."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
import structlog
from typer.testing import CliRunner, Result

from gotask.cli.main import app
from gotask.embedded import free_port
from tests.support.waiting import wait_until_blocking


@dataclass
class Gotask:
    """Runs commands as a shell would."""

    url: str
    grpc_url: str

    def __call__(self, *arguments: str, stdin: str | None = None, **environment: str) -> Result:
        kept = structlog.get_config()
        try:
            return CliRunner().invoke(app, arguments, input=stdin, env={"GOTASK_URL": self.url, **environment})
        finally:
            # A command logs to its own standard error, which is closed by now.
            structlog.configure(**kept)

    def json(self, *arguments: str, stdin: str | None = None) -> Any:
        """The document that a command prints, which has to end well."""
        result = self(*arguments, "--json", stdin=stdin)
        assert result.exit_code == 0, result.output
        return orjson.loads(result.stdout)


@pytest.fixture(scope="package")
def gotask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gotask]:
    """All services in one process, with the example handlers."""
    data = tmp_path_factory.mktemp("up")
    port, grpc_port = free_port(), free_port()
    ports = [f"--nats-port={port}", "--redis-port=0", "--http-port=0", "--metrics-port=0"]
    log = data / "up.log"
    with log.open("w") as out:
        up = subprocess.Popen(
            [sys.executable, "-m", "gotask.cli", "up", "--storage=memory", f"--data={data / 'data'}", *ports],
            stdout=out,
            stderr=out,
            env={**os.environ, "GOTASK_GRPC_PORT": str(grpc_port)},
        )

    def ready() -> bool:
        assert up.poll() is None, log.read_text()
        return "GoTask is up." in log.read_text()

    try:
        wait_until_blocking(ready, f"it is up (its log: {log})", 60)
        yield Gotask(f"nats://127.0.0.1:{port}", f"grpc://127.0.0.1:{grpc_port}")
        up.terminate()
        up.wait(60)
    finally:
        up.kill()
        up.wait()
