"""Whatever the deployment files set is a setting of that service, with a value that it takes."""

import re
from collections.abc import Mapping

import pytest

from gotask.gateway.settings import GatewaySettings
from gotask.metrics.settings import MetricsSettings
from gotask.queue_manager.settings import QueueManagerSettings
from gotask.scheduler.settings import SchedulerSettings
from gotask.service.settings import PREFIX, InvalidSettings, ServiceSettings
from gotask.worker.settings import WorkerSettings
from tests.deploy.rendered import (
    OVERLAYS,
    PRODUCTION_VALUES,
    ROOT,
    Document,
    charted,
    compose,
    container,
    kustomized,
    of_kind,
    variables,
)

SETTINGS: dict[str, type[ServiceSettings]] = {
    "gateway": GatewaySettings,
    "queue-manager": QueueManagerSettings,
    "scheduler": SchedulerSettings,
    "worker": WorkerSettings,
    "metrics": MetricsSettings,
}
_COMPOSE = ROOT / "deploy/compose/docker-compose.yml"
_ANONYMOUS = {"services": {"gateway": {"settings": {"GOTASK_ALLOW_ANONYMOUS": "true"}}}}


def load(service: str, given: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> ServiceSettings:
    """The settings as the service would read them; AssertionError names a variable that it does not know."""
    kind = SETTINGS[service]
    known = {f"{PREFIX}{field.upper()}" for field in kind.model_fields}
    unknown = {name for name in given if name.startswith(PREFIX)} - known
    assert not unknown, f"{service} has no setting {', '.join(sorted(unknown))}"
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = kind.load()
    if isinstance(settings, WorkerSettings):
        settings.check()
    return settings


def _documents(way: str) -> list[Document]:
    return {
        "development": lambda: kustomized(ROOT / "deploy/kubernetes/overlays/development"),
        "production": lambda: kustomized(ROOT / "deploy/kubernetes/overlays/production"),
        "chart": lambda: charted(_ANONYMOUS),
        "chart in production": lambda: charted(PRODUCTION_VALUES),
    }[way]()


_WAYS = (*OVERLAYS, "chart", "chart in production")


@pytest.mark.parametrize("way", _WAYS)
def test_kubernetes_sets_what_services_know_and_waits_longer_than_they_drain(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = _documents(way)
    for service in SETTINGS:
        with monkeypatch.context() as patched:
            settings = load(service, variables(documents, service), patched)
        pod = of_kind(documents, "Deployment")[f"gotask-{service}"]["spec"]["template"]["spec"]
        before = container({"spec": {"template": {"spec": pod}}}).get("lifecycle", {}).get("preStop", {})
        needed = before.get("sleep", {}).get("seconds", 0) + settings.stop_timeout
        assert pod["terminationGracePeriodSeconds"] > needed, service


@pytest.mark.parametrize("way", ["production", "chart in production"])
def test_in_production_each_service_is_a_user_of_the_broker(way: str) -> None:
    users = re.findall(r"user: ([a-z-]+)$", (ROOT / "deploy/nats/accounts.conf").read_text(), re.MULTILINE)
    documents = _documents(way)
    for service in SETTINGS:
        assert service in users
        own = container(of_kind(documents, "Deployment")[f"gotask-{service}"])
        given = {entry["name"]: entry for entry in own["env"]}
        assert given["GOTASK_NATS_USER"]["value"] == service
        assert given["GOTASK_NATS_INBOX_PREFIX"]["value"] == f"_INBOX.{service}"
        password = given["GOTASK_NATS_PASSWORD"]["valueFrom"]["secretKeyRef"]
        assert password == {"name": "gotask-nats-users", "key": service}


def test_compose_sets_what_services_know_and_waits_longer_than_they_drain(monkeypatch: pytest.MonkeyPatch) -> None:
    services = compose(_COMPOSE)["services"]
    for service in SETTINGS:
        with monkeypatch.context() as patched:
            settings = load(service, services[service]["environment"], patched)
        assert int(services[service]["stop_grace_period"].removesuffix("s")) > settings.stop_timeout


def test_workers_are_told_nothing_of_the_storage() -> None:
    for given in (
        compose(_COMPOSE)["services"]["worker"]["environment"],
        variables(_documents("production"), "worker"),
    ):
        assert not [name for name in given if "REDIS" in name or "POSTGRES" in name or "STORAGE" in name]


def test_a_variable_that_is_no_setting_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError, match="worker has no setting GOTASK_CONCURENCY"):
        load("worker", {"GOTASK_CONCURENCY": "4"}, monkeypatch)
    with pytest.raises(InvalidSettings, match="GOTASK_STOP_TIMEOUT"):
        load("worker", {"GOTASK_GRACE": "90"}, monkeypatch)
