"""Manifests and chart: valid for the API server, and their parts fit together."""

import copy
import functools
import shutil
from pathlib import Path
from typing import Any

import helm_python
import jsonschema_rs
import kubernetes_validate
import pytest
import yaml

from tests.deploy.rendered import (
    CHART,
    OVERLAYS,
    PRODUCTION_VALUES,
    ROOT,
    Document,
    charted,
    container,
    kustomized,
    of_kind,
)
from tests.deploy.test_settings import SETTINGS

_VERSIONS = ("1.30", "1.37")
_WARNING = 2


@pytest.fixture(scope="module", params=[*OVERLAYS, "chart", "chart in production"])
def documents(request: pytest.FixtureRequest) -> list[Document]:
    if request.param in OVERLAYS:
        return kustomized(ROOT / "deploy/kubernetes/overlays" / request.param)
    return charted(PRODUCTION_VALUES if "production" in request.param else {})


def _check(document: Document) -> None:
    """ValidationError, of one kind or the other, for what the API server or KEDA would refuse."""
    if document["kind"] == "ScaledObject":
        _scaled_object().validate(document)
        return
    for version in _VERSIONS:
        kubernetes_validate.validate(document, version, strict=True)


@functools.cache
def _scaled_object() -> jsonschema_rs.Draft202012Validator:
    schema = Path(__file__).with_name("schemas") / "scaled-object.yaml"
    return jsonschema_rs.Draft202012Validator(yaml.safe_load(schema.read_text()))


def test_every_document_is_what_the_api_server_takes(documents: list[Document]) -> None:
    for document in documents:
        _check(document)


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        pytest.param(("spec", "replicas"), "two", "'two' is not of type", id="a text for a number"),
        pytest.param(("spec", "replica"), 2, "replica", id="a field that does not exist"),
        pytest.param(("metadata", "labels"), ["app"], "is not of type 'object'", id="a list for a map"),
    ],
)
def test_a_mistake_in_a_manifest_shows(path: tuple[str, str], value: Any, told: str) -> None:
    broken = copy.deepcopy(of_kind(charted({}), "Deployment")["gotask-worker"])
    broken[path[0]][path[1]] = value
    with pytest.raises(kubernetes_validate.ValidationError, match=told):
        _check(broken)


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        pytest.param("maxReplicaCount: 50", "maxReplicas: 50", "'maxReplicas' was unexpected", id="another's field"),
        pytest.param('threshold: "40"', "threshold: 40", "40 is not of type", id="a number for a text"),
        pytest.param("serverAddress:", "serverAddres:", '"serverAddress" is a required', id="a misspelt need"),
        pytest.param("replicas: 6", "replicas: -6", "-6 is less than", id="fewer than none"),
    ],
)
def test_a_mistake_in_a_scaled_object_shows(right: str, wrong: str, told: str) -> None:
    text = (ROOT / "deploy/kubernetes/components/keda/scaled-object.yaml").read_text()
    assert right in text
    _check(yaml.safe_load(text))
    with pytest.raises(jsonschema_rs.ValidationError, match=told):
        _check(yaml.safe_load(text.replace(right, wrong)))


def test_a_mistake_in_an_overlay_shows(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "deploy/kubernetes", tmp_path / "kubernetes")
    broken = tmp_path / "kubernetes/overlays/production/kustomization.yaml"
    broken.write_text(broken.read_text().replace("path: broker.yaml", "path: brokre.yaml"))
    with pytest.raises(AssertionError, match=r"brokre\.yaml"):
        kustomized(broken.parent)


def test_pods_may_do_nothing_but_their_work(documents: list[Document]) -> None:
    deployments = of_kind(documents, "Deployment")
    assert set(deployments) == {f"gotask-{service}" for service in SETTINGS}
    for deployment in deployments.values():
        pod = deployment["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert not pod["automountServiceAccountToken"]
        security = container(deployment)["securityContext"]
        assert security["readOnlyRootFilesystem"]
        assert not security["allowPrivilegeEscalation"]
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert {"requests", "limits"} <= set(container(deployment)["resources"])


def test_probes_ask_the_port_where_health_is_served(documents: list[Document]) -> None:
    for deployment in of_kind(documents, "Deployment").values():
        own = container(deployment)
        for probe, page in (("startupProbe", "/health"), ("livenessProbe", "/health"), ("readinessProbe", "/ready")):
            assert own[probe]["httpGet"] == {"path": page, "port": "health"}
        assert {"name": "health", "containerPort": 9100} in own["ports"]


def test_what_selects_pods_finds_some(documents: list[Document]) -> None:
    pods = [
        workload["spec"]["template"]["metadata"]["labels"] | {"kind": kind}
        for kind in ("Deployment", "StatefulSet")
        for workload in of_kind(documents, kind).values()
    ]
    for service in of_kind(documents, "Service").values():
        assert _selected(service["spec"]["selector"], pods), service["metadata"]["name"]
    for kind, key in (("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector")):
        for name, document in of_kind(documents, kind).items():
            assert _selected(document["spec"][key].get("matchLabels", {}), pods), name


def _selected(labels: dict[str, str], pods: list[dict[str, str]]) -> list[dict[str, str]]:
    return [pod for pod in pods if labels.items() <= pod.items()]


def test_each_deployment_is_scaled_by_one_alone(documents: list[Document]) -> None:
    deployments = of_kind(documents, "Deployment")
    scalers = [*of_kind(documents, "HorizontalPodAutoscaler").values(), *of_kind(documents, "ScaledObject").values()]
    targets = [scaler["spec"]["scaleTargetRef"]["name"] for scaler in scalers]
    assert sorted(targets) == ["gotask-gateway", "gotask-queue-manager", "gotask-worker"]
    for target in targets:
        assert "replicas" not in deployments[target]["spec"], "a deployment would undo its scaler"


def test_workers_are_scaled_by_the_backlog_of_the_queues_that_they_serve() -> None:
    for documents in (kustomized(ROOT / "deploy/kubernetes/overlays/production"), charted(PRODUCTION_VALUES)):
        scaler = of_kind(documents, "ScaledObject")["gotask-worker"]["spec"]
        assert scaler["minReplicaCount"] <= scaler["fallback"]["replicas"] <= scaler["maxReplicaCount"]
        (trigger,) = scaler["triggers"]
        assert trigger["type"] == "prometheus"
        assert set(trigger["metadata"]) == {"serverAddress", "query", "threshold"}
        worker = container(of_kind(documents, "Deployment")["gotask-worker"])
        queues = next(entry["value"] for entry in worker["env"] if entry["name"] == "GOTASK_QUEUES")
        assert f'queue=~"{queues.replace(",", "|")}"' in trigger["metadata"]["query"]


def test_helm_finds_nothing_wrong_with_the_chart() -> None:
    for values in ({}, PRODUCTION_VALUES):
        report = helm_python.lint(CHART, values, strict=True)
        assert report["errors"] == []
        assert [message for message in report["messages"] if message["severity"] >= _WARNING] == []


def test_a_mistake_in_the_chart_shows(tmp_path: Path) -> None:
    chart = tmp_path / "gotask"
    shutil.copytree(CHART, chart)
    template = chart / "templates/services.yaml"
    template.write_text(template.read_text().replace('include "gotask.selector"', 'include "gotask.selektor"'))
    assert "gotask.selektor" in str(helm_python.lint(chart)["messages"])


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"broker": {"settings": {"NATS_URL": "x"}}}, id="no setting"),
        pytest.param({"services": {"worker": {"replicas": "2"}}}, id="a text for a number"),
        pytest.param({"kedaa": {}}, id="a name that does not exist"),
    ],
)
def test_wrong_values_for_the_chart_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(helm_python.HelmError):
        charted(values)
