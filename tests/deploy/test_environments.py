"""Each service runs with what its image carries, and carries no more."""

import subprocess
from pathlib import Path

import pytest

from gotask.embedded import free_port
from tests.deploy.environments import Environment
from tests.support.servers import Server
from tests.support.stack import http
from tools.locks import IMAGES

pytestmark = pytest.mark.timeout(420)

_LIBRARIES = ("gotask.bus", "gotask.jobs", "gotask.service")
_TOO_MUCH = {
    "queue-manager": ("fastapi", "grpc_reflection", "nicegui"),
    "scheduler": ("fastapi", "grpc_reflection", "nicegui"),
    "worker": ("fastapi", "nicegui", "redis", "asyncpg"),
    "gateway": ("nicegui",),
}


@pytest.mark.parametrize("service", IMAGES)
def test_no_module_of_a_service_lacks_a_package(environments: dict[str, Environment], service: str) -> None:
    storages = ("gotask.storage",) if "redis" in IMAGES[service] else ()
    own = f"gotask.{service.replace('-', '_')}"
    assert environments[service].missing_modules(own, *_LIBRARIES, *storages) == ""


def test_the_five_environments_run_a_job_together(
    environments: dict[str, Environment], nats: Server, valkey: Server, namespace: str
) -> None:
    http_port = free_port()
    variables = {
        "GOTASK_NAMESPACE": namespace,
        "GOTASK_NATS_URL": nats.address,
        "GOTASK_REDIS_ADDR": valkey.address,
        "GOTASK_HTTP_PORT": str(http_port),
        "GOTASK_GRPC_PORT": str(free_port()),
        "GOTASK_METRICS_PORT": str(free_port()),
        "GOTASK_DASHBOARD_PORT": str(free_port()),
        "GOTASK_GATEWAY_URL": f"http://127.0.0.1:{http_port}",
        "GOTASK_STREAM_MAX_BYTES": str(32 << 20),
        "GOTASK_EVENTS_MAX_BYTES": str(32 << 20),
        # Nobody listens there; that traces can be sent at all is what shows.
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}",
    }
    for service in ("queue-manager", "scheduler", "metrics", "worker", "gateway"):
        environments[service].start(variables)
    for environment in environments.values():
        environment.wait_ready()
    url = f"http://127.0.0.1:{http_port}/api/v1"
    job = {"type": "math", "queue": "default", "payload": {"operation": "multiply", "a": 42, "b": 2}}
    status, stored = http("POST", f"{url}/jobs", job)
    assert status == 201, stored
    status, done = http("GET", f"{url}/jobs/{stored['id']}?wait=25s")
    assert (status, done["status"], done["result"]) == (200, "success", 84)


@pytest.mark.parametrize("service", _TOO_MUCH)
def test_an_image_carries_nothing_that_its_service_does_not_use(
    environments: dict[str, Environment], service: str
) -> None:
    for module in _TOO_MUCH[service]:
        found = environments[service].missing_modules(module)
        assert f"No module named '{module}'" in found


def test_a_missing_package_shows(environments: dict[str, Environment], tmp_path: Path) -> None:
    command = environments["scheduler"].command("gateway")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path, env={})
    assert done.returncode != 0
    assert "ModuleNotFoundError" in done.stderr
