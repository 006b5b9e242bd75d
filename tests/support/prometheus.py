"""A real Prometheus that scrapes what a test wants, with the rules that GoTask ships."""

import shutil
import subprocess
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from gotask.embedded import free_port
from tests.support.stack import http
from tests.support.waiting import wait_until_blocking

SHIPPED = Path(__file__).parents[2] / "deploy/prometheus"
_INTERVAL = "250ms"


def needed(program: str) -> str:
    """The program's path; skips the test where it is not installed."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"needs {program}: install Debian's package prometheus (apt-get install prometheus)")
    return path


class Prometheus:
    """Scrapes often, and lets no alert wait; everything else is as shipped."""

    def __init__(self, folder: Path, targets: Mapping[str, str]) -> None:
        """
        :param targets: host and port of each of the shipped configuration's jobs.
        """
        self._folder = folder
        self._url = f"http://127.0.0.1:{free_port()}"
        (folder / "rules").mkdir()
        for rules in (SHIPPED / "rules").glob("*.yml"):
            (folder / "rules" / rules.name).write_text(_without_patience(rules.read_text()))
        (folder / "prometheus.yml").write_text(_with_targets((SHIPPED / "prometheus.yml").read_text(), targets))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [
            needed("prometheus"),
            f"--config.file={self._folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self._folder / 'data'}",
            f"--web.listen-address={self._url.removeprefix('http://')}",
        ]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_until_blocking(self._ready, f"Prometheus is ready (its log: {self._folder / 'log'})")

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "log").read_text()
        return http("GET", f"{self._url}/-/ready")[0] == 200

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples of an expression now."""
        status, answer = http("GET", f"{self._url}/api/v1/query?{urllib.parse.urlencode({'query': expression})}")
        assert status == 200, (expression, answer)
        samples: list[dict[str, Any]] = answer["data"]["result"]
        return samples

    def firing(self, alert: str) -> list[dict[str, str]]:
        """The labels of each instance of an alert that fires."""
        return [sample["metric"] for sample in self.query(f'ALERTS{{alertname="{alert}",alertstate="firing"}}')]


def _with_targets(configuration: str, targets: Mapping[str, str]) -> str:
    document = yaml.safe_load(configuration)
    document["global"] = {"scrape_interval": _INTERVAL, "evaluation_interval": _INTERVAL}
    document["scrape_configs"] = [
        {"job_name": job["job_name"], "static_configs": [{"targets": [targets[job["job_name"]]]}]}
        for job in document["scrape_configs"]
    ]
    return yaml.safe_dump(document)


def _without_patience(rules: str) -> str:
    document = yaml.safe_load(rules)
    for group in document["groups"]:
        for rule in group["rules"]:
            rule.pop("for", None)
    return yaml.safe_dump(document)
