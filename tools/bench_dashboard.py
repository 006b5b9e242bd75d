"""Measures the dashboard at size: ``python -m tools.bench_dashboard [--jobs 1000000] [--queues 100]``.

Starts ``gotask up`` on Redis with its own data, fills it with jobs over the bus (most wait in paused queues, some have
succeeded, some are dead), and looks at it in a real Chromium while jobs go on coming. Prints how long each page takes
to its first paint and to its content, how long to page forward in the list of jobs and to filter it, the longest task
of each page's main thread while it moves, what the dashboard's process takes of a core and of memory meanwhile, and how
long it is from the end of a job until the page shows it.
"""

import argparse
import asyncio
import json
import shutil
import statistics
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import uvloop
from playwright.sync_api import Page

from gotask import v1
from gotask.bus.bus import Bus, Publication
from gotask.jobs.ids import new_id
from gotask.service.settings import ServiceSettings
from tests.support.browser import Watched, chromium
from tests.support.waiting import wait_until_blocking
from tools.bench import Stack, running_stack

_BATCH = 500
_IN_FLIGHT = 4
_PATIENCE_S = 300
_ROWS = ".q-table tbody tr"
_TYPES = ("email", "report", "import", "resize", "notify")
_PAGES = {
    "overview": ("/", f"canvas, {_ROWS}"),
    "queues": ("/queues", _ROWS),
    "jobs": ("/jobs", _ROWS),
    "dead letters": ("/dead", _ROWS),
    "schedules": ("/schedules", ".empty h2"),
    "workers": ("/workers", _ROWS),
}
"""By name the address, and what shows its content."""
_FILTERS = {
    "status dead": "/jobs?status=dead",
    "status pending": "/jobs?status=pending",
    "status success": "/jobs?status=success",
    "type resize": "/jobs?type=resize",
    "type that only one has": "/jobs?type=rare",
    "queue": "/jobs?queue=queue-017",
    "queue and status": "/jobs?queue=queue-017&status=pending",
}
_LONG_TASKS = """
window.longTasks = [];
new PerformanceObserver(list => window.longTasks.push(...list.getEntries().map(each => each.duration)))
  .observe({type: 'longtask', buffered: true});
"""
_WATCH_ROWS = """
window.shown = {};
const look = () => document.querySelectorAll('.q-table tbody tr').forEach(row => {
  const job = row.querySelector('.cell-link a')?.getAttribute('href')?.split('/').pop();
  if (job && row.querySelector('.chip-success') && !window.shown[job]) window.shown[job] = Date.now();
});
new MutationObserver(look).observe(document.body,
  {subtree: true, childList: true, characterData: true, attributes: true});
"""


def _name(index: int) -> str:
    return f"queue-{index:03}"


def _post(stack: Stack, path: str, body: object = None) -> Any:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(stack.api + path, data, {"Content-Type": "application/json"}, method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


async def _publish(bus: Bus, queue: str, job_type: str, count: int) -> list[str]:
    """Submits jobs of one queue in one message; their ids."""
    now_us = time.time_ns() // 1000
    ids = [new_id() for _ in range(count)]
    request = v1.SubmitJobs()
    for job_id in ids:
        request.jobs.add(
            id=job_id,
            type=job_type,
            queue=queue,
            payload=b'{"hello":"world"}',
            priority=1,
            created_at_us=now_us,
            retry=v1.RetryPolicy(max_retries=0),
        )
    data = request.SerializeToString()
    await bus.publish_durable(Publication(bus.subjects.submit(queue), data, uuid.uuid4().hex))
    return ids


async def fill(stack: Stack, jobs: int, queues: int) -> None:
    """Of a hundred jobs 97 wait in paused queues, two succeed and one dies: nobody knows its type."""
    bus = await Bus.open(ServiceSettings.load(nats_url=stack.nats_url), "bench")
    await _publish(bus, "default", "rare", 1)
    room = asyncio.Semaphore(_IN_FLIGHT)

    async def publish(number: int) -> None:
        try:
            share = number % 100
            if share < 3:
                await _publish(bus, "default", "echo" if share < 2 else "nobody-knows", _BATCH)
            else:
                await _publish(bus, _name(number % queues), _TYPES[number % len(_TYPES)], _BATCH)
        finally:
            room.release()

    tasks = []
    for number in range(jobs // _BATCH):
        await room.acquire()
        tasks.append(asyncio.create_task(publish(number)))
    await asyncio.gather(*tasks)
    await bus.close()


def _filled(stack: Stack, jobs: int) -> bool:
    """Whether all jobs are stored, and those that nothing holds up have run."""
    figures = stack.get("/metrics")
    default = figures["queues"].get("default", {})
    return figures["jobs"]["created"] >= jobs and not default.get("pending") and not default.get("running")


@contextmanager
def _trickle(stack: Stack, rate: int) -> Iterator[None]:
    """So many jobs a second meanwhile, that succeed at once."""
    over = threading.Event()

    async def submit() -> None:
        bus = await Bus.open(ServiceSettings.load(nats_url=stack.nats_url), "trickle")
        while not over.is_set():
            await _publish(bus, "default", "echo", max(rate // 20, 1))
            await asyncio.sleep(0.05)
        await bus.close()

    thread = threading.Thread(target=lambda: uvloop.run(submit()))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _open(page: Page, address: str, shows: str) -> dict[str, float]:
    """Milliseconds from asking for a page to its first paint, and to its content."""
    began = time.monotonic()
    page.goto(address)
    page.locator(shows).first.wait_for()
    content = (time.monotonic() - began) * 1_000
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0")
    return {"paint": paint, "content": content}


def _filtered(page: Page, address: str) -> float:
    """Milliseconds until a list shows what it found, or that it found nothing."""
    return _open(page, address, f"{_ROWS}, .empty h2:visible")["content"]


def _paged(page: Page, address: str, pages: int) -> list[float]:
    """Milliseconds of each click on the button to older jobs."""
    page.goto(address)
    took = []
    for _ in range(pages):
        older = page.get_by_role("link", name="Older")
        older.wait_for()
        before = page.url
        began = time.monotonic()
        older.click()
        page.wait_for_function("before => location.href != before", arg=before)
        page.locator(_ROWS).first.wait_for()
        took.append((time.monotonic() - began) * 1_000)
    return took


def _lively(stack: Stack, page: Page, address: str, seconds: float) -> dict[str, float]:
    """How a page does while jobs come and end: its longest task, and what the dashboard's process takes."""
    page.goto(address)
    page.locator(_ROWS).first.wait_for()
    page.evaluate("window.longTasks.length = 0")
    process = stack.named("metrics")
    began, before = time.monotonic(), sum(process.cpu_times()[:2])
    page.wait_for_timeout(seconds * 1_000)
    spent = sum(process.cpu_times()[:2]) - before
    longest = page.evaluate("Math.max(0, ...window.longTasks)")
    return {
        "longest task ms": longest,
        "CPU %": 100 * spent / (time.monotonic() - began),
        "RSS MB": process.memory_info().rss / 2**20,
    }


def _event_to_screen_ms(stack: Stack, page: Page, address: str, events: int) -> list[float]:
    """From a job's end, as stored, until the list of jobs shows it."""
    page.goto(address)
    page.locator(_ROWS).first.wait_for()
    page.evaluate(_WATCH_ROWS)
    found = []
    for number in range(events):
        page.wait_for_timeout(700 + number * 37 % 500)
        job_id = _post(stack, "/jobs", {"type": "echo", "payload": number})["id"]
        ended = datetime.fromisoformat(stack.get(f"/jobs/{job_id}?wait=10s")["finished_at"]).timestamp() * 1_000
        page.wait_for_function("job => window.shown[job]", arg=job_id, polling=50)
        found.append(page.evaluate("job => window.shown[job]", job_id) - ended)
    return sorted(found)


def look(stack: Stack, options: argparse.Namespace) -> dict[str, Any]:
    """All that a browser finds."""
    with chromium() as browser:
        watched = Watched(browser, stack.dashboard)
        page = watched.page
        page.add_init_script(_LONG_TASKS)
        try:
            page.goto(watched.url("/"))
            figures: dict[str, Any] = {
                "pages ms": {name: _open(page, watched.url(path), shows) for name, (path, shows) in _PAGES.items()},
                "filters ms": {name: _filtered(page, watched.url(path)) for name, path in _FILTERS.items()},
                "page forward ms": _paged(page, watched.url("/jobs"), 5),
                "event to screen ms": _event_to_screen_ms(stack, page, watched.url("/jobs"), options.events),
            }
            with _trickle(stack, options.rate):
                figures["lively"] = {
                    name: _lively(stack, page, watched.url(path), options.seconds)
                    for name, path in (("overview", "/"), ("queues", "/queues"), ("jobs", "/jobs"))
                }
            figures["faults"] = watched.faults
        finally:
            watched.close()
    return figures


def measure(options: argparse.Namespace) -> dict[str, Any]:
    with running_stack("redis", 100) as stack:
        for index in range(options.queues):
            _post(stack, "/queues", {"name": _name(index)})
            _post(stack, f"/queues/{_name(index)}/pause")
        began = time.monotonic()
        uvloop.run(fill(stack, options.jobs, options.queues))
        wait_until_blocking(lambda: _filled(stack, options.jobs // _BATCH * _BATCH), "all is stored", _PATIENCE_S)
        filled_s = time.monotonic() - began
        return {"jobs": options.jobs, "queues": options.queues, "filled s": filled_s} | look(stack, options)


def show(figures: dict[str, Any], rate: int) -> None:
    print(f"{figures['jobs']} jobs in {figures['queues']} queues, stored in {figures['filled s']:.0f} s")
    print(f"  {'page':<26} {'first paint ms':>14} {'content ms':>11}")
    for name, took in figures["pages ms"].items():
        print(f"  {name:<26} {took['paint']:14.0f} {took['content']:11.0f}")
    for name, took in figures["filters ms"].items():
        print(f"  {'filter: ' + name:<41} {took:11.0f}")
    print(f"  {'page forward, median of 5':<41} {statistics.median(figures['page forward ms']):11.0f}")
    late = figures["event to screen ms"]
    print(f"  event to screen, {len(late)} events: p50 {statistics.median(late):.0f} ms, max {late[-1]:.0f} ms")
    print(f"  while {rate} jobs/s run: {'longest task ms':>34} {'CPU %':>8} {'RSS MB':>8}")
    for name, took in figures["lively"].items():
        print(f"  {name:<26} {took['longest task ms']:29.0f} {took['CPU %']:8.0f} {took['RSS MB']:8.0f}")
    for fault in figures["faults"]:
        print(f"  fault: {fault}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--queues", type=int, default=100)
    parser.add_argument("--events", type=int, default=20, help="jobs whose way to the screen is measured")
    parser.add_argument("--rate", type=int, default=200, help="jobs per second while a page is looked at")
    parser.add_argument("--seconds", type=float, default=5, help="how long each page is looked at then")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if shutil.which("chromium") is None:
        raise SystemExit("needs chromium: install Debian's package chromium (apt-get install chromium)")
    figures = measure(options)
    if options.json:
        print(json.dumps(figures))
    else:
        show(figures, options.rate)


if __name__ == "__main__":
    main()
