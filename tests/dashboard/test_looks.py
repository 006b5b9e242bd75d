"""Every page, dark and light, on a desk and on a phone: kept as pictures, and without faults of accessibility."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import DEFAULT_OPTIONS, Axe
from playwright.sync_api import Page, expect

from tests.dashboard.conftest import SHOTS, Api, Open
from tests.support.waiting import wait_until_blocking

DESK = 1400
_COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
PAGES = ("overview", "queues", "jobs", "job", "dead", "schedules", "schedule", "workers", "sign-in", "missing")


@pytest.fixture(scope="module")
def paths(api: Api, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The pages' paths, with something to see on each."""
    progress = tmp_path_factory.mktemp("progress") / "progress"
    progress.write_text("62")
    api("POST", "/jobs/batch", {"jobs": [{"type": "echo", "queue": "mail", "payload": at} for at in range(40)]})
    api("POST", "/jobs/batch", {"jobs": [{"type": "echo", "queue": "default", "delay": "1h"} for _ in range(5)]})
    for message in ("mailbox full", "mailbox unknown"):
        api.ended(api.job("break", queue="mail", payload={"message": message}))
    schedule = api(
        "POST", "/schedules", {"name": "every-morning", "job_type": "echo", "cron_expr": "0 7 * * 1-5", "payload": [1]}
    )["id"]
    api("POST", f"/schedules/{schedule}/run")
    job_id = api.job("follow", queue="reports", payload={"path": str(progress)})
    wait_until_blocking(lambda: api("GET", f"/jobs/{job_id}")["progress"], "the job tells how far it is")
    try:
        yield dict(
            zip(
                PAGES,
                (
                    "/",
                    "/queues",
                    "/jobs?queue=default",
                    f"/jobs/{job_id}",
                    "/dead?queue=mail",
                    "/schedules",
                    f"/schedules/{schedule}",
                    "/workers",
                    "/sign-in",
                    "/jobs/missing",
                ),
                strict=True,
            )
        )
    finally:
        progress.write_text("100")
        api("DELETE", f"/schedules/{schedule}")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [DESK, 400])
def test_looks(opened: Open, paths: dict[str, str], *, dark: bool, width: int) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    window = opened(dark=dark, width=width)
    faults = []
    for name, path in paths.items():
        page = window.open(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.screenshot(path=SHOTS / f"{name}-{'dark' if dark else 'light'}-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than the window"
        faults += [(name, *fault) for fault in faults_of(page, dark=dark)] if width == DESK else []
    assert faults == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_dialogs(opened: Open, paths: dict[str, str], *, dark: bool) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page = opened(dark=dark, width=400).open("/queues")
    page.get_by_role("button", name="New queue").click()
    expect(page.get_by_role("dialog").get_by_role("button", name="Create")).to_be_visible()
    page.screenshot(path=SHOTS / f"dialog-{'dark' if dark else 'light'}-400.png")
    assert faults_of(page, dark=dark) == []


def faults_of(page: Page, *, dark: bool) -> list[tuple[str, list[str]]]:
    """The rules that are broken, and where. What is dark differs from what is light by its colours alone."""
    options: dict[str, Any] = DEFAULT_OPTIONS | ({"runOnly": _COLOURS} if dark else {})
    violations = Axe().run(page, options=options).response["violations"]
    return [
        (each["id"], [node["html"][:200] for node in each["nodes"][:3]])
        for each in violations
        if each["impact"] in ("serious", "critical")
    ]
