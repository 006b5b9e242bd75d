"""Nobody sees or does more than the gateway lets them."""

import urllib.request

import pytest
from playwright.sync_api import Browser, expect

from tests.dashboard.conftest import READER, TOKEN, Api, Open, sign_in
from tests.support.browser import Watched
from tests.support.stack import Stack


@pytest.fixture
def stranger(browser: Browser, town: Stack) -> Watched:
    return Watched(browser, town.dashboard_url)


def test_a_page_asks_who_one_is_and_comes_back(stranger: Watched) -> None:
    try:
        page = stranger.page
        stranger.open("/queues")
        expect(page).to_have_url(stranger.url("/sign-in?to=/queues"))
        page.get_by_label("API key or token").fill("nobody")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("not known")
        page.get_by_label("API key or token").fill(TOKEN)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Queues")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        stranger.open("/queues")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert stranger.faults == []
    finally:
        stranger.close()


def test_a_reader_can_look_and_change_nothing(stranger: Watched, api: Api) -> None:
    api.ended(api.job("echo", queue="idle", payload=1))
    try:
        sign_in(stranger, READER)
        page = stranger.open("/queues")
        page.get_by_role("button", name="Pause idle").click()
        expect(page.get_by_text("needs the scope")).to_be_visible()
        assert api("GET", "/queues/idle")["paused"] is False
        assert stranger.faults == []
    finally:
        stranger.close()


def test_a_sign_in_sends_nobody_elsewhere(stranger: Watched) -> None:
    try:
        page = stranger.open("/sign-in?to=//elsewhere.example")
        assert page.locator("input[name=to]").input_value() == "/"
    finally:
        stranger.close()


def test_pages_may_ask_this_site_alone(town: Stack) -> None:
    with urllib.request.urlopen(f"{town.dashboard_url}/sign-in", timeout=30) as answer:
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


def test_what_is_not_there_is_told(opened: Open) -> None:
    page = opened().open("/jobs/no-such-job")
    expect(page.get_by_role("heading", name="Not found")).to_be_visible()
    expect(page.get_by_role("alert").filter(has_text="no-such-job")).to_be_visible()
