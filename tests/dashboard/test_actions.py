"""Every button of every page does what it says, and asks before what cannot be undone."""

import re
import signal
import time
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.dashboard.conftest import Api, Open
from tests.support.stack import Stack
from tests.support.waiting import wait_until_blocking


def agree(page: Page, verb: str) -> None:
    """Answers the question; first it is put, and to give it up changes nothing."""
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Keep")).to_be_visible()
    dialog.get_by_role("button", name=verb).click()
    expect(dialog).to_be_hidden()


def test_queues(opened: Open, api: Api) -> None:
    page = opened().open("/queues")
    page.get_by_role("button", name="New queue").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("not a name")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_role("alert")).to_contain_text("name")
    dialog.get_by_label("Name").fill("letters")
    dialog.get_by_label("Jobs at once").fill("3")
    dialog.get_by_role("button", name="Create").click()
    line = page.get_by_role("row").filter(has_text="letters")
    expect(line).to_contain_text("active")
    assert api("GET", "/queues/letters")["max_workers"] == 3

    line.get_by_role("button", name="Pause").click()
    expect(line).to_contain_text("paused")
    assert api("GET", "/queues/letters")["paused"]
    line.get_by_role("button", name="Resume").click()
    expect(line).to_contain_text("active")

    line.get_by_role("button", name="Edit").click()
    dialog.get_by_label("Retries").fill("7")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    changed = api("GET", "/queues/letters")
    assert (changed["max_retries"], changed["max_workers"]) == (7, 3)

    line.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Keep").click()
    expect(line).to_be_visible()
    line.get_by_role("button", name="Delete").click()
    agree(page, "Delete")
    expect(line).to_be_hidden()


def test_a_queue_is_purged(opened: Open, api: Api) -> None:
    job_ids = [api.job("echo", queue="purged", delay="1h") for _ in range(3)]
    page = opened().open("/queues")
    purge = page.get_by_role("button", name="Purge purged")
    purge.click()
    expect(page.get_by_role("dialog")).to_contain_text("Cancel 3 waiting jobs of purged?")
    page.get_by_role("button", name="Keep").click()
    assert api("GET", f"/jobs/{job_ids[0]}")["status"] == "scheduled"
    purge.click()
    agree(page, "Purge")
    expect(page.get_by_text("No job waits in purged now")).to_be_visible()
    assert {api("GET", f"/jobs/{job_id}")["status"] for job_id in job_ids} == {"cancelled"}
    api("DELETE", "/queues/purged")


def test_dead_letters(opened: Open, api: Api) -> None:
    for message in ("first", "second"):
        api.ended(api.job("break", queue="mail", payload={"message": message}))
    api.ended(api.job("unheard_of", queue="mail"))
    page = opened().open("/dead?queue=mail")
    broken = page.get_by_role("row").filter(has_text="NoRetry")
    expect(broken).to_contain_text("second")
    broken.get_by_role("button", name="Retry all").click()
    expect(page.get_by_text("are pending again")).to_be_visible()
    wait_until_blocking(lambda: api("GET", "/queues/mail/stats")["dead"] == 3, "the retried jobs failed again")

    page.get_by_role("row").filter(has_text="UnknownType").get_by_role("button", name="Purge").click()
    agree(page, "Purge")
    expect(page.get_by_role("row").filter(has_text="UnknownType")).to_be_hidden()
    expect(broken).to_be_visible()

    page.get_by_role("button", name="Purge all", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("Purge all 2 dead letters of mail?")
    agree(page, "Purge")
    expect(page.get_by_role("heading", name="No dead letters")).to_be_visible()
    assert api("GET", "/queues/mail/stats")["dead"] == 0


def test_jobs_are_found(opened: Open, api: Api) -> None:
    api("POST", "/jobs/batch", {"jobs": [{"type": "echo", "queue": "reports", "payload": at} for at in range(60)]})
    tagged = api.job("echo", queue="reports", tags=["rare"], payload="found")
    page = opened().open("/jobs")
    page.get_by_label("Queue").fill("reports")
    page.get_by_role("button", name="Filter").click()
    rows = page.get_by_role("region", name="Jobs").locator("tbody tr")
    expect(rows).to_have_count(50)
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_role("link", name="Newest")).to_be_visible()
    expect(rows.first).to_contain_text("reports")
    page.get_by_label("Tag").fill("rare")
    page.get_by_label("Status").select_option("success")
    page.get_by_role("button", name="Filter").click()
    expect(rows).to_have_count(1)
    page.get_by_label("Job id").fill(tagged)
    page.get_by_label("Job id").press("Enter")
    expect(page.get_by_role("region", name="Result")).to_contain_text("found")


def test_a_page_is_there_before_what_takes_long(opened: Open, api: Api, town: Stack) -> None:
    tagged = api.job("echo", queue="reports", tags=["slow"])
    gateway = town.services["gateway"].process
    assert gateway is not None
    gateway.send_signal(signal.SIGSTOP)
    try:
        page = opened().open("/jobs?tag=slow")
        expect(page.get_by_text("Looking …")).to_be_visible()
        expect(page.get_by_role("heading", name="No jobs here")).to_be_hidden()
    finally:
        gateway.send_signal(signal.SIGCONT)
    expect(page.get_by_role("row").filter(has_text=tagged[-12:])).to_be_visible()
    expect(page.get_by_text("Looking …")).to_be_hidden()


def test_a_job_moves_live(opened: Open, api: Api, tmp_path: Path) -> None:
    progress = tmp_path / "progress"
    job_id = api.job("follow", queue="reports", payload={"path": str(progress)})
    page = opened().open(f"/jobs/{job_id}")
    expect(page.locator(".facts")).to_contain_text("running")
    progress.write_text("40")
    bar = page.get_by_role("progressbar")
    expect(bar).to_have_attribute("aria-valuenow", "40")
    progress.write_text("100")
    expect(page.locator(".facts")).to_contain_text("success")
    expect(page.get_by_role("region", name="Result")).to_contain_text("followed")
    expect(page.locator(".timeline")).to_contain_text("Attempt 1 ended: success")


def test_a_job_is_cancelled_retried_changed_and_deleted(opened: Open, api: Api) -> None:
    job_id = api.job("echo", queue="default", payload="as it was", delay="1h")
    page = opened().open(f"/jobs/{job_id}")
    page.get_by_role("button", name="Cancel").click()
    agree(page, "Cancel the job")
    expect(page.locator(".facts")).to_contain_text("cancelled")
    page.get_by_role("button", name="Retry").click()
    expect(page.locator(".facts")).to_contain_text("success")

    page.get_by_role("button", name="Run again").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Payload").fill("not JSON")
    dialog.get_by_role("button", name="Submit").click()
    expect(dialog.get_by_role("alert")).to_contain_text("not JSON")
    dialog.get_by_label("Payload").fill('"as it is"')
    dialog.get_by_role("button", name="Submit").click()
    expect(page).not_to_have_url(re.compile(job_id))
    expect(page.get_by_role("region", name="Result")).to_contain_text("as it is")

    again = page.url.rsplit("/", 1)[1]
    page.get_by_role("button", name="Delete").click()
    agree(page, "Delete")
    expect(page).to_have_url(re.compile("/jobs$"))
    assert again not in [job["id"] for job in api("GET", "/jobs?queue=default")["items"]]


def test_schedules(opened: Open, api: Api) -> None:
    page = opened().open("/schedules")
    page.get_by_role("button", name="New schedule").click()
    dialog = page.get_by_role("dialog")
    for label, value in {"Name": "nightly", "Job type": "echo", "Cron expression": "0 2 * * *"}.items():
        dialog.get_by_label(label).fill(value)
    dialog.get_by_label("Time zone").fill("Nowhere/At_all")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_role("alert")).to_contain_text("timezone")
    dialog.get_by_label("Time zone").fill("Europe/Berlin")
    dialog.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name="nightly")).to_be_visible()
    expect(page.locator(".timeline li")).to_have_count(5)
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_role("row").filter(has_text="manual")).to_contain_text("success")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".facts")).to_contain_text("paused")

    page.get_by_role("link", name="Schedules").click()
    line = page.get_by_role("row").filter(has_text="nightly")
    line.get_by_role("button", name="Resume").click()
    expect(line).to_contain_text("active")
    line.get_by_role("button", name="Run now").click()
    expect(page.get_by_text("nightly fires now")).to_be_visible()
    line.get_by_role("button", name="Delete").click()
    agree(page, "Delete")
    expect(line).to_be_hidden()


def test_a_worker_is_drained(opened: Open, api: Api, tmp_path: Path) -> None:
    progress = tmp_path / "progress"
    job_id = api.job("follow", queue="reports", payload={"path": str(progress)})
    page = opened().open("/workers")
    expect(page.get_by_role("link", name="follow")).to_have_attribute("href", f"/jobs/{job_id}")
    try:
        page.get_by_role("button", name="Drain").click()
        expect(page.get_by_role("region", name="Workers")).to_contain_text("draining")
        page.get_by_role("button", name="Resume").click()
        expect(page.get_by_role("region", name="Workers")).to_contain_text("active")
    finally:
        progress.write_text("100")
        for worker in api("GET", "/workers")["items"]:
            api("POST", f"/workers/{worker['id']}/resume")
    assert api.ended(job_id)["status"] == "success"


def test_the_overview_moves_when_something_happens(opened: Open, api: Api) -> None:
    page = opened().open("/")
    tile = page.locator(".tile").filter(has_text="Pending")
    expect(tile).to_contain_text("scheduled or retrying")
    before = tile.inner_text()
    began = time.monotonic()
    job_id = api.job("echo", queue="idle", delay="1h")
    page.wait_for_function("before => document.querySelectorAll('.tile')[1].innerText != before", arg=before)
    print(f"from the submission to the screen: {time.monotonic() - began:.2f} s")
    api("POST", f"/jobs/{job_id}/cancel")


def test_all_of_it_works_by_keyboard(opened: Open) -> None:
    page = opened().open("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Queues")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Queues")).to_be_visible()
    page.wait_for_function("() => window.did_handshake")
    page.get_by_role("button", name="New queue").press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_dark_or_light_is_remembered(opened: Open) -> None:
    page = opened().open("/")
    body = page.locator("body")
    expect(body).not_to_have_class(re.compile("body--dark"))
    page.get_by_role("button", name="Dark or light").click()
    expect(body).to_have_class(re.compile("body--dark"))
    page.reload()
    expect(body).to_have_class(re.compile("body--dark"))
