"""What the deployment files say when they are put together, as documents and as each service's variables."""

import base64
import functools
import shutil
import subprocess
from pathlib import Path
from typing import Any

import helm_python
import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/helm/gotask"
OVERLAYS = ("development", "production")
PRODUCTION_VALUES: dict[str, Any] = {
    "keda": {"enabled": True},
    "apiKeysSecret": "gotask-api-keys",
    "broker": {"caSecret": "gotask-nats-ca", "usersSecret": "gotask-nats-users"},
    "storage": {"existingSecret": "gotask-storage"},
}

Document = dict[str, Any]


def needed(program: str, package: str) -> str:
    """The program's path; skips the test where it is not installed."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"needs {program}: install Debian's package {package}")
    return path


@functools.cache
def compose(file: Path) -> Document:
    """What `docker-compose config` makes of *file*; AssertionError with its complaint."""
    done = subprocess.run(
        [needed("docker-compose", "docker-compose"), "-f", file, "config"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    document: Document = yaml.safe_load(done.stdout)
    return document


@functools.cache
def kustomized(overlay: Path) -> list[Document]:
    """What `kubectl apply -k` would send; AssertionError with kustomize's complaint."""
    command = [needed("kubectl", "kubectl (from Kubernetes' own repository)"), "kustomize", str(overlay)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def charted(values: dict[str, Any], chart: Path = CHART) -> list[Document]:
    """What `helm template` prints as documents; HelmError with its complaint."""
    with helm_python.Chart.load(chart) as loaded:
        loaded.validate_schema(values)
        files = loaded.render(values, name="gotask", namespace="gotask")
    texts = [text for name, text in files.items() if name.endswith(".yaml")]
    return [document for text in texts for document in yaml.safe_load_all(text) if document]


def of_kind(documents: list[Document], kind: str) -> dict[str, Document]:
    """By name."""
    return {document["metadata"]["name"]: document for document in documents if document["kind"] == kind}


def container(workload: Document) -> Document:
    first: Document = workload["spec"]["template"]["spec"]["containers"][0]
    return first


def variables(documents: list[Document], service: str) -> dict[str, str]:
    """The variables of a service's pod. Secrets that are not among *documents* add none."""
    own = container(of_kind(documents, "Deployment")[f"gotask-{service}"])
    variables_of_pod = own.get("env", [])
    sources = {"configMapRef": of_kind(documents, "ConfigMap"), "secretRef": of_kind(documents, "Secret")}
    found: dict[str, str] = {}
    for source in own["envFrom"]:
        (kind, reference), *_ = source.items()
        found |= _values(sources[kind].get(reference["name"], {}))
    return found | {entry["name"]: entry.get("value", "from the pod") for entry in variables_of_pod}


def _values(document: Document) -> dict[str, str]:
    data: dict[str, str] = document.get("data", {})
    if document.get("kind") == "Secret":
        data = {name: base64.b64decode(value).decode() for name, value in data.items()}
    plain: dict[str, str] = document.get("stringData", {})
    return data | plain
