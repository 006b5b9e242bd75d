"""/: how everything goes."""

import time
from typing import Any

from nicegui import ui

from gotask.metrics.dashboard.changes import Change
from gotask.metrics.dashboard.charts import AMBER, BLUE, GREEN, RED, VIOLET, Chart, Line
from gotask.metrics.dashboard.formats import count, rate, safe, seconds
from gotask.metrics.dashboard.frame import head
from gotask.metrics.dashboard.history import History, Sample
from gotask.metrics.dashboard.markup import heading, nothing, raw
from gotask.metrics.dashboard.table import Column, show_rows, table
from gotask.metrics.dashboard.view import View

_BUSIEST = 8
_COLUMNS = [
    Column("name", "Queue", "link"),
    Column("state", "State", "state", wide=True),
    Column("pending", "Pending", "number"),
    Column("running", "Running", "number"),
    Column("dead", "Dead", "number"),
    Column("ended", "Ended /s", "number", wide=True),
    Column("wait", "Wait p95", "number", wide=True),
    Column("run", "Run p95", "number", wide=True),
]
_NO_JOBS = (
    'Submit one: <code>gotask submit echo \'{"hello": "world"}\'</code>, or '
    "<code>POST /api/v1/jobs</code>. It shows here within a second."
)


async def overview(view: View) -> None:
    with head("Overview", "live, the last five minutes"):
        pass
    tiles = raw("").classes("grid tiles").props('role=group aria-label="Figures"')
    with ui.element("div").classes("grid two"):
        charts = _charts()
    heading("Busiest queues")
    queues = table("Busiest queues", _COLUMNS)
    none = nothing("No jobs yet", _NO_JOBS)

    async def refresh(_change: Change) -> None:
        history = view.history
        if not history.samples:
            history.add(await view.api.get("/metrics"), time.time())
        tiles.set_content(_tiles(history))
        for chart in charts:
            chart.show(history.samples)
        rows = _rows(history.figures)
        show_rows(queues, rows)
        queues.set_visibility(bool(rows))
        none.set_visibility(not rows)

    await view.keep(refresh)


def _charts() -> list[Chart]:
    return [
        Chart(
            "Throughput",
            " /s",
            [
                Line("created", BLUE, lambda sample: sample.created_rate),
                Line("ended", GREEN, lambda sample: sample.ended_rate),
                Line("of these failed", RED, lambda sample: sample.failed_rate),
            ],
        ),
        Chart(
            "Backlog",
            "",
            [
                Line("running", GREEN, lambda sample: sample.running),
                Line("pending", BLUE, lambda sample: sample.pending),
                Line("scheduled, retrying", AMBER, lambda sample: sample.later),
            ],
            stacked=True,
        ),
        Chart(
            "Wait for a worker",
            " ms",
            [
                Line("median", BLUE, lambda sample: _ms(sample.wait_p50)),
                Line("95 %", VIOLET, lambda sample: _ms(sample.wait_p95)),
            ],
        ),
        Chart(
            "Run time",
            " ms",
            [
                Line("median", BLUE, lambda sample: _ms(sample.run_p50)),
                Line("95 %", VIOLET, lambda sample: _ms(sample.run_p95)),
            ],
        ),
    ]


def _ms(value_s: float | None) -> float | None:
    return None if value_s is None else value_s * 1_000


def _tiles(history: History) -> str:
    if not history.samples:
        return _tile("–", "The metrics service counts nothing yet", "")
    now, figures = history.samples[-1], history.figures
    workers = figures["workers"]
    slots = sum(worker["concurrency"] for worker in workers)
    return "".join(
        (
            _tile(rate(now.ended_rate), "Jobs ended per second", f"{count(figures['jobs']['created'])} created in all"),
            _tile(count(now.pending), "Pending", f"{count(now.later)} scheduled or retrying"),
            _tile(count(now.running), "Running", f"of {count(slots)} slots" if slots else "no slots"),
            _tile(seconds(now.wait_p95), "Wait, 95 %", "over the last minute"),
            _tile(count(now.dead), "Dead letters", _trouble(now)),
            _tile(count(len(workers)), "Workers", _draining(workers)),
        )
    )


def _tile(value: str, label: str, note: str) -> str:
    return (
        f'<div class="card tile"><span class="label">{safe(label)}</span><span class="value">{safe(value)}</span>'
        f'<span class="note">{safe(note)}</span></div>'
    )


def _trouble(now: Sample) -> str:
    return "see Dead letters" if now.dead else "nothing to see to"


def _draining(workers: list[dict[str, Any]]) -> str:
    if not workers:
        return "start one: gotask worker"
    draining = sum(worker["draining"] for worker in workers)
    return f"{draining} draining" if draining else "all take jobs"


def _rows(figures: dict[str, Any]) -> list[dict[str, Any]]:
    queues = figures.get("queues", {})
    known = {name: queue for name, queue in queues.items() if "pending" in queue}

    def business(name: str) -> tuple[float, int]:
        return known[name]["pending"] + known[name]["running"], known[name]["totals"]["created"]

    return [_row(name, known[name]) for name in sorted(known, key=business, reverse=True)[:_BUSIEST]]


def _row(name: str, queue: dict[str, Any]) -> dict[str, Any]:
    minute = queue["last_minute"]
    return {
        "id": name,
        "title": name,
        "name": name,
        "name_href": f"/jobs?queue={name}",
        "state": "paused" if queue["paused"] else "active",
        "pending": count(queue["pending"]),
        "running": count(queue["running"]),
        "dead": count(queue["dead"]),
        "ended": rate(minute["ended_per_second"]),
        "wait": seconds(minute["wait_seconds"]["p95"]),
        "run": seconds(minute["run_seconds"]["p95"]),
    }
