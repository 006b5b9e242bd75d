"""What Prometheus and Grafana are given: it is valid, it names what is there, and its alerts fire."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from tests.support.prometheus import SHIPPED, Prometheus, needed
from tests.support.stack import ServiceProcess, Stack, http
from tests.support.waiting import wait_until_blocking

GRAFANA = SHIPPED.parent / "grafana"
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
VARIABLES = {"$__rate_interval": "1m", "$__range": "5m", "$queue": ".*", "$type": ".*", "$worker": ".*"}
BUILT_IN = {"up", "ALERTS"}
_NAME = re.compile(r"\b(?:taskqueue_|process_|[a-z_]+:taskqueue_)[a-z0-9_:]+|\bup\b|\bALERTS\b")


def rules() -> list[dict[str, Any]]:
    return [
        rule
        for path in (SHIPPED / "rules").glob("*.yml")
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    ]


def expressions(dashboard: Path) -> list[str]:
    """Of all panels, with the dashboard's variables filled in."""
    panels = orjson.loads(dashboard.read_bytes())["panels"]
    found = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    for name, value in VARIABLES.items():
        found = [expression.replace(name, value) for expression in found]
    return found


JOBS = [
    {"type": "threaded"},
    {"type": "flaky", "max_retries": 1, "retry_delay": "10ms"},
    {"type": "leaky", "payload": {"password": "x"}, "max_retries": 0},
]


def run_jobs(stack: Stack) -> None:
    """Jobs of every fate."""
    ids = [stack.post("/jobs", job)[1]["id"] for job in JOBS]
    assert [stack.get(f"/jobs/{job_id}?wait=30s")["status"] for job_id in ids] == ["success", "success", "dead"]


@pytest.fixture(scope="module")
def busy(seen: Stack) -> Stack:
    """The stack, with samples of its counters."""
    run_jobs(seen)
    return seen


@pytest.fixture(scope="module")
def prometheus(busy: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    targets = {f"gotask-{name}": f"127.0.0.1:{service.health_port}" for name, service in busy.services.items()}
    targets["gotask"] = busy.metrics_url.removeprefix("http://")
    running = Prometheus(tmp_path_factory.mktemp("prometheus"), targets)
    try:
        running.start()
        wait_until_blocking(lambda: len(running.query("up == 1")) == len(targets), "all is scraped")
        # Rates are of what happens between two scrapes.
        run_jobs(busy)
        yield running
    finally:
        running.kill()


def promtool(*arguments: str | Path) -> str:
    told = subprocess.run([needed("promtool"), *arguments], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


def test_the_configuration_and_the_rules_are_valid() -> None:
    promtool("check", "config", SHIPPED / "prometheus.yml")
    promtool("check", "rules", *(SHIPPED / "rules").glob("*.yml"))


def test_the_rules_do_what_their_tests_say() -> None:
    promtool("test", "rules", *(SHIPPED / "tests").glob("*.yml"))


def test_every_alert_has_a_test_and_says_what_to_do() -> None:
    tested = "".join(path.read_text() for path in (SHIPPED / "tests").glob("*.yml"))
    for alert in [rule for rule in rules() if "alert" in rule]:
        assert f"alertname: {alert['alert']}\n" in tested
        assert alert["labels"]["severity"] in ("critical", "warning", "info")
        assert set(alert["annotations"]) == {"summary", "description"}


def test_every_metric_that_is_named_is_exposed(busy: Stack) -> None:
    pages = [f"{busy.metrics_url}/metrics"]
    pages += [f"http://127.0.0.1:{service.health_port}/metrics" for service in busy.services.values()]
    exposed = BUILT_IN | {rule["record"] for rule in rules() if "record" in rule}
    for page in pages:
        for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", http("GET", page)[1], re.MULTILINE):
            exposed |= (
                {f"{name}{suffix}" for suffix in ("_bucket", "_count", "_sum")} if kind == "histogram" else {name}
            )
    sources = [rule["expr"] for rule in rules()]
    sources += [expression for dashboard in DASHBOARDS for expression in expressions(dashboard)]
    named = {name for source in sources for name in _NAME.findall(source)}
    assert len(named) > 30
    assert named <= exposed


@pytest.mark.parametrize(
    ("service", "sample"),
    [
        ("gateway", 'taskqueue_batch_items_count{of="submissions"}'),
        ("worker", 'taskqueue_batch_items_count{of="results"}'),
        ("queue-manager", 'taskqueue_batch_items_count{of="heartbeats"}'),
        ("queue-manager", 'taskqueue_stream_waiting_messages{stream="gotask_SUBMIT"}'),
        ("scheduler", "taskqueue_bus_reconnects_total"),
        ("metrics", "process_resident_memory_bytes"),
    ],
)
def test_each_process_shows_how_it_does(busy: Stack, service: str, sample: str) -> None:
    _, page = http("GET", f"http://127.0.0.1:{busy.services[service].health_port}/metrics")
    assert f"\n{sample} " in page


def test_the_gateway_shows_the_same_names(busy: Stack) -> None:
    def names(url: str) -> set[str]:
        return set(re.findall(r"^# TYPE (\S+)", http("GET", url)[1], re.MULTILINE))

    assert names(busy.url.replace("/api/v1", "/metrics")) == names(f"{busy.metrics_url}/metrics")
    assert busy.get("/metrics")["jobs"]["success"] >= 2


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: path.stem)
def test_every_panel_shows_something(prometheus: Prometheus, dashboard: Path) -> None:
    for expression in expressions(dashboard):
        quiet = "ALERTS{" in expression and "vector(0)" not in expression
        # Nothing came too late here, and no counter of it was ever made.
        if not quiet and "results_stale" not in expression:
            wait_until_blocking(lambda: prometheus.query(expression), f"samples of {expression}")  # noqa: B023
        else:
            prometheus.query(expression)


def test_dashboards_are_what_grafana_can_load() -> None:
    titles = ["Alerts", "Job Performance", "Queue Health", "System Overview", "Worker Monitoring"]
    boards = [orjson.loads(path.read_bytes()) for path in DASHBOARDS]
    assert sorted(board["title"] for board in boards) == [f"GoTask / {title}" for title in titles]
    assert len({board["uid"] for board in boards}) == len(boards)
    for board in boards:
        variables = {variable["name"] for variable in board["templating"]["list"]}
        assert {"datasource", "queue", "type"} <= variables
        panels = [panel for panel in board["panels"] if panel["type"] != "row"]
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
        for panel in panels:
            assert panel["datasource"]["uid"] == "${datasource}"
            assert panel["description"]
            for used in re.findall(r"\$(\w+)", "".join(target["expr"] for target in panel["targets"])):
                assert used in variables or used in ("__rate_interval", "__range")
            place = panel["gridPos"]
            assert 0 <= place["x"] <= 24 - place["w"]
    for path in (GRAFANA / "provisioning").rglob("*.yml"):
        assert yaml.safe_load(path.read_text())["apiVersion"] == 1


def test_a_worker_that_is_killed_is_told_of_and_one_that_is_stopped_is_not(
    busy: Stack, prometheus: Prometheus, tmp_path: Path
) -> None:
    killed, stopped = (
        ServiceProcess("worker", ["--worker-id", name, "--queues", name], busy.environment, tmp_path / f"{name}.log")
        for name in ("killed", "stopped")
    )
    for worker in (killed, stopped):
        worker.start()
    try:
        for name in ("killed", "stopped"):
            active = f'taskqueue_workers_active{{worker_id="{name}"}}'
            wait_until_blocking(lambda: prometheus.query(active), f"{name} is active")  # noqa: B023
        assert not prometheus.firing("GoTaskWorkerStopped")
        killed.kill()
        assert stopped.stop() == 0
    finally:
        for worker in (killed, stopped):
            worker.kill()
    wait_until_blocking(lambda: prometheus.firing("GoTaskWorkerStopped"), "the alert fires", 60)
    wait_until_blocking(lambda: not prometheus.query('taskqueue_workers_active{worker_id="stopped"}'), "it is gone")
    assert prometheus.query('max_over_time(taskqueue_worker_draining{worker_id="stopped"}[10m])')[0]["value"][1] == "1"
    (alert,) = prometheus.firing("GoTaskWorkerStopped")
    assert (alert["worker_id"], alert["severity"]) == ("killed", "warning")
