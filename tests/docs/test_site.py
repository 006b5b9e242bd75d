"""The documentation's site: it can be built, needs nothing from elsewhere, and leaves nothing out."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.docs.blocks import DOCS, ROOT
from tools import reference

_FROM_ELSEWHERE = re.compile(r"""<(?:script|img|iframe|link)\b[^>]*(?:src|href)=["'](?:https?:)?//""")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as `make docs` builds it: a warning is an error."""
    out = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(out)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(build, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    return out


def test_no_page_asks_other_hosts_for_anything(site: Path) -> None:
    built = list(site.rglob("*.html"))
    assert len(built) >= len(list(DOCS.rglob("*.md")))
    asking = {page.name: found[0] for page in built if (found := _FROM_ELSEWHERE.search(page.read_text()))}
    assert asking == {}


def test_links_of_the_readme_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / "README.md").read_text())
    assert len(links) > 5
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_reference_is_current(tmp_path: Path) -> None:
    now = reference.rendered()
    assert reference.stale(ROOT, now) == []
    reference.write(tmp_path, now)
    page = tmp_path / "docs/reference/settings.md"
    page.write_text(page.read_text().replace("8080", "8081"))
    assert reference.stale(tmp_path, now) == ["docs/reference/settings.md"]


def test_each_alert_has_its_runbook() -> None:
    groups = yaml.safe_load((ROOT / "deploy/prometheus/rules/alerts.yml").read_text())["groups"]
    alerts = [rule["alert"] for group in groups for rule in group["rules"]]
    sections = re.findall(r"^## (GoTask\w+)$", (DOCS / "operations/runbooks.md").read_text(), re.MULTILINE)
    assert sorted(sections) == sorted(alerts)
