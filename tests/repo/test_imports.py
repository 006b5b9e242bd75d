"""What processes carry: nothing that they do not use."""

import subprocess
import sys

import pytest

_WEB = ("fastapi", "starlette", "uvicorn")
_STORAGE = ("redis", "asyncpg")
_WORKER = (
    "gotask.cli.main, gotask.worker.main, gotask.worker.service, gotask.worker.builtin, gotask.worker.fleet.run, "
    "gotask.worker.pool.child"
)
_CLIENT = "gotask.sdk, gotask.sdk.client.nats.transport"
_COMMANDS = (
    "gotask.cli.main, gotask.cli.commands.session, gotask.cli.commands.loading, gotask.cli.commands.topping, "
    "gotask.gateway.rest.job_document, gotask.gateway.rest.event_document"
)


@pytest.mark.parametrize(
    ("modules", "left_out"),
    [
        pytest.param(_WORKER, (*_WEB, *_STORAGE, "grpc", "croniter"), id="a worker"),
        pytest.param(_CLIENT, (*_WEB, *_STORAGE, "grpc", "gotask.storage", "croniter"), id="a client"),
        pytest.param("gotask.sdk.testing", (*_WEB, *_STORAGE, "grpc"), id="a sandbox"),
        pytest.param(_COMMANDS, (*_WEB, *_STORAGE, "grpc"), id="a command"),
        pytest.param("gotask.metrics.main", ("nicegui", "fastapi", "httpx"), id="a metrics service"),
        pytest.param("gotask.cli.main", ("gotask.sdk", "nats", "pydantic", "structlog"), id="gotask --help"),
    ],
)
def test_a_process_imports_only_what_it_uses(modules: str, left_out: tuple[str, ...]) -> None:
    script = f"import sys, {modules}; print([name for name in {left_out!r} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
