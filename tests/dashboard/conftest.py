"""One stack that asks who its callers are, and one browser, for all tests of the dashboard."""

import os
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import orjson
import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import Watched, chromium
from tests.support.stack import Stack

SECRET = "a secret that is long enough for HS256"
_TO_COME = int(time.time()) + 3_600
TOKEN = jwt.encode({"sub": "ada", "scope": "submit read manage", "exp": _TO_COME}, SECRET, "HS256")
READER = jwt.encode({"sub": "rob", "scope": "read", "exp": _TO_COME}, SECRET, "HS256")
WORKER = ["tests.dashboard.handlers:app", "--queues", "default,mail,reports,idle", "--concurrency", "8"]
SHOTS = Path(os.environ.get("GOTASK_TEST_SCREENSHOTS", Path(__file__).parents[2] / ".artefacts/dashboard"))

Open = Callable[..., Watched]


class Api:
    """The stack's REST API, with ada's token."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else orjson.dumps(body)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
        request = urllib.request.Request(self._url + path, data=data, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as response:
            text = response.read()
        return orjson.loads(text) if text else None

    def job(self, job_type: str, **fields: Any) -> str:
        """Submits one job; its id."""
        job_id: str = self("POST", "/jobs", {"type": job_type, **fields})["id"]
        return job_id

    def ended(self, job_id: str) -> Any:
        return self("GET", f"/jobs/{job_id}?wait=30s")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="package")
def town(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Started only where there is a browser."""
    running = Stack(tmp_path_factory.mktemp("town"), WORKER, {"GOTASK_JWT_SECRET": SECRET, "GOTASK_METRICS_SAVE": "1s"})
    try:
        running.start()
        yield running
    finally:
        running.kill()


@pytest.fixture(scope="package")
def api(town: Stack) -> Api:
    return Api(town.url)


@pytest.fixture(scope="package")
def cookies(town: Stack, browser: Browser) -> Any:
    """Of ada's session."""
    watched = Watched(browser, town.dashboard_url)
    try:
        sign_in(watched, TOKEN)
        return watched.page.context.cookies()
    finally:
        watched.close()


def sign_in(watched: Watched, key: str) -> None:
    """From whatever page, through the form."""
    page = watched.open("/sign-in")
    page.get_by_label("API key or token").fill(key)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


@pytest.fixture
def opened(town: Stack, browser: Browser, cookies: Any) -> Iterator[Open]:
    """Opens windows for ada; at the end none of them may have had a fault."""
    windows: list[Watched] = []

    def open_window(**options: Any) -> Watched:
        watched = Watched(browser, town.dashboard_url, **options)
        watched.page.context.add_cookies(cookies)
        windows.append(watched)
        return watched

    try:
        yield open_window
        assert [fault for watched in windows for fault in watched.faults] == []
    finally:
        for watched in windows:
            watched.close()
