"""Every page, dark and light, on a desk and on a phone: kept as pictures, and without faults of accessibility."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.dashboard.conftest import SHOTS, Api, Open
from tests.support.waiting import wait_until_blocking

DESK, PHONE = 1400, 400
PAGES = ("overview", "queues", "jobs", "job", "dead", "schedules", "schedule", "workers", "sign-in", "missing")
DIALOGS = {
    "queues-new": ("New queue", "Create"),
    "queues-edit": ("Edit mail", "Save"),
    "queues-purge": ("Purge mail", "Purge"),
    "queues-delete": ("Delete mail", "Delete"),
    "job-cancel": ("Cancel", "Cancel the job"),
    "job-again": ("Run again", "Submit"),
    "dead-purge": ("Purge all", "Purge"),
    "schedules-new": ("New schedule", "Create"),
    "schedules-delete": ("Delete every-morning", "Delete"),
}
"""By page and what it does: the button that opens it, and the one that would do it."""


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
@pytest.mark.parametrize("width", [DESK, PHONE])
def test_looks(opened: Open, paths: dict[str, str], *, dark: bool, width: int) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    window = opened(dark=dark, width=width)
    found = []
    for name, path in paths.items():
        page = window.open(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.screenshot(path=SHOTS / f"{name}-{'dark' if dark else 'light'}-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than the window"
        found += faults(page, name)
    assert found == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_dialogs(opened: Open, paths: dict[str, str], *, dark: bool) -> None:
    window = opened(dark=dark, width=PHONE)
    found = []
    page = window.page
    for name, (button, sure) in DIALOGS.items():
        on = name.partition("-")[0]
        if not page.url.endswith(paths[on]):
            window.open(paths[on])
        page.get_by_role("button", name=button).first.click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("button", name=sure, exact=True)).to_be_visible()
        page.screenshot(path=SHOTS / f"dialog-{name}-{'dark' if dark else 'light'}-{PHONE}.png")
        found += faults(page, name)
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
    assert found == []


def faults(page: Page, name: str) -> list[tuple[str, str, list[str]]]:
    """What keeps people from using the page as it stands: its name, the rule, and where."""
    violations = Axe().run(page).response["violations"]
    return [
        (name, each["id"], [node["html"][:200] for node in each["nodes"][:3]])
        for each in violations
        if each["impact"] in ("serious", "critical")
    ]
