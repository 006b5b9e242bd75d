"""/schedules/{id}: when a schedule fires next, and what became of its last fires."""

from typing import Any

from nicegui import ui

from gotask.metrics.dashboard.api import segment
from gotask.metrics.dashboard.changes import Change
from gotask.metrics.dashboard.formats import chip, json_text, moment, plain, safe
from gotask.metrics.dashboard.frame import head
from gotask.metrics.dashboard.markup import button, facts, heading, raw
from gotask.metrics.dashboard.pages.schedules import command
from gotask.metrics.dashboard.table import Column, several, show_rows, table
from gotask.metrics.dashboard.view import View

_FIRES = [
    Column("kind", "Fire", "state"),
    Column("at", "At", "time"),
    Column("status", "Status", "state"),
    Column("jobs", "Job", "links"),
    Column("refusal", "Refused", wide=True),
]


class SchedulePage:
    """One schedule, live."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._schedule: dict[str, Any] = {}

    async def build(self) -> None:
        await self._load()
        with head(self._schedule["name"]):
            button("Run now", "btn-main").on("click", lambda: self._do("run"))
            self._pause = button("Pause").on("click", lambda: self._do("pause"))
            self._resume = button("Resume").on("click", lambda: self._do("resume"))
            button("Delete", "btn-bad").on("click", lambda: self._do("delete"))
        self._facts = raw("", "dl").classes("card facts")
        with ui.element("div").classes("grid two"):
            with ui.element("div").classes("card"):
                heading("Next fires")
                self._next = raw("", "ol").classes("timeline")
            with ui.element("div").classes("card"):
                heading("Payload")
                self._payload = raw("", "pre").props('tabindex=0 role=region aria-label="Payload"')
        heading("Last fires")
        self._fires = table("Last fires", _FIRES)
        await self._view.keep(self._refresh)

    async def _load(self) -> None:
        self._schedule = await self._view.api.get(f"/schedules/{segment(self._view.path['schedule_id'])}")

    async def _refresh(self, _change: Change) -> None:
        await self._load()
        schedule = self._schedule
        self._pause.set_visibility(not schedule["paused"])
        self._resume.set_visibility(schedule["paused"])
        self._facts.set_content(facts(_facts(schedule)))
        self._next.set_content(_next(schedule["next_fires"]))
        self._payload.set_content(safe(json_text(schedule["payload"])))
        show_rows(self._fires, [_fire(at, fire) for at, fire in enumerate(schedule["fires"])])

    async def _do(self, name: str) -> None:
        done = await command(self._view, name, self._schedule["id"], self._schedule["name"])
        if done and name == "delete":
            ui.navigate.to("/schedules")
        elif done:
            await self._refresh(Change(everything=True))


async def schedule(view: View) -> None:
    await SchedulePage(view).build()


def _facts(schedule: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("State", chip("paused" if schedule["paused"] else "active")),
        ("When", f"<code>{safe(schedule['cron_expr'])}</code>"),
        ("Time zone", safe(schedule["timezone"])),
        ("Job type", safe(schedule["job_type"])),
        ("Queue", safe(schedule["queue"])),
        ("Missed ticks", safe(schedule["missed"])),
        ("Overlap", safe(schedule["overlap"])),
        ("Starts", safe(moment(schedule["starts_at"]))),
        ("Ends", safe(moment(schedule["ends_at"]))),
        ("Tags", safe(plain(schedule["tags"]))),
    ]


def _next(fires: list[str]) -> str:
    if not fires:
        return '<li><div class="what">None: it is paused, or has ended.</div></li>'
    return "".join(f'<li><div class="what">{safe(moment(at))}</div></li>' for at in fires)


def _fire(at: int, fire: dict[str, Any]) -> dict[str, Any]:
    job_id = fire["job_id"]
    return {
        "id": at,
        "title": fire["at"],
        "kind": fire["kind"],
        "at": fire["at"],
        "status": fire["status"] or "unknown",
        "jobs": several([{"href": f"/jobs/{job_id}", "text": f"…{job_id[-12:]}"}] if job_id else []),
        "refusal": fire["refusal"],
    }
