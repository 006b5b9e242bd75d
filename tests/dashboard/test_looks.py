"""Every page, dark and light, on a desk and on a phone: kept as pictures, and without faults of accessibility."""

import re
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import DEFAULT_OPTIONS, Axe
from playwright.sync_api import Page, expect

from tests.dashboard.conftest import SHOTS, Api, Open
from tests.support.waiting import wait_until_blocking

DESK, PHONE, HEIGHT = 1400, 400, 900
AXE: dict[str, Any] = DEFAULT_OPTIONS | {"preload": False}
"""Without style sheets that it would ask for: Quasar shows a bar for each request."""
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""In these alone what is dark differs from what is light."""
LIGHTS: tuple[Literal["light", "dark"], ...] = ("light", "dark")
PAGES = ("overview", "queues", "jobs", "job", "dead", "schedules", "schedule", "workers", "sign-in", "missing")
DIALOGS = (
    ("queues", "New queue", "Create"),
    ("queues", "Edit mail", "Save"),
    ("queues", "Purge mail", "Purge"),
    ("queues", "Delete mail", "Delete"),
    ("job", "Cancel", "Cancel the job"),
    ("job", "Run again", "Submit"),
    ("dead", "Purge all", "Purge"),
    ("schedules", "New schedule", "Create"),
    ("schedules", "Delete every-morning", "Delete"),
)
"""The page, the button that opens a dialog there, and the one in it that does what it asks."""


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


@pytest.mark.parametrize("name", PAGES)
def test_looks(opened: Open, paths: dict[str, str], name: str) -> None:
    page = opened().open(paths[name])
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    for width in (DESK, PHONE):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"wider than {width} px"
        assert faults_by_light(page, f"{name}-{{}}-{width}", full_page=True) == []


@pytest.mark.parametrize("on", dict.fromkeys(on for on, _, _ in DIALOGS))
def test_dialogs(opened: Open, paths: dict[str, str], on: str) -> None:
    page = opened(width=PHONE).open(paths[on])
    found: list[tuple[str, str, list[str]]] = []
    for at, (_, opener, verb) in enumerate(each for each in DIALOGS if each[0] == on):
        page.get_by_role("button", name=opener).first.click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("button", name=verb, exact=True)).to_be_visible()
        found += faults_by_light(page, f"dialog-{on}-{at}-{{}}-{PHONE}", full_page=False)
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
    assert found == []


def faults_by_light(page: Page, picture: str, *, full_page: bool) -> list[tuple[str, str, list[str]]]:
    """A picture in light and one in dark, and what keeps people from using the page then: rules, and where."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    found: list[tuple[str, str, list[str]]] = []
    for light in LIGHTS:
        page.emulate_media(color_scheme=light)
        expect(page.locator("body")).to_have_class(re.compile(f"body--{light}"))
        page.screenshot(path=SHOTS / f"{picture.format(light)}.png", full_page=full_page)
        violations = Axe().run(page, options=AXE | (COLOURS if light == "dark" else {})).response["violations"]
        found += [
            (light, each["id"], [node["html"][:200] for node in each["nodes"][:3]])
            for each in violations
            if each["impact"] in ("serious", "critical")
        ]
    return found
