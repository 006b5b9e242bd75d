"""/schedules: what recurs."""

from typing import Any
from urllib.parse import urlencode

import orjson
from nicegui import ui

from gotask.metrics.dashboard.api import segment
from gotask.metrics.dashboard.changes import Change
from gotask.metrics.dashboard.dialogs import Field, confirmed, form
from gotask.metrics.dashboard.formats import safe
from gotask.metrics.dashboard.frame import head
from gotask.metrics.dashboard.markup import button, nothing, raw
from gotask.metrics.dashboard.table import Column, action, several, show_rows, table
from gotask.metrics.dashboard.view import View

_COLUMNS = [
    Column("name", "Schedule", "link"),
    Column("state", "State", "state"),
    Column("cron_expr", "When", wide=True),
    Column("timezone", "Time zone", wide=True),
    Column("job", "Job", wide=True),
    Column("next", "Next fire", "time"),
    Column("actions", "Actions", "actions"),
]
_FIELDS = [
    Field("name", "Name"),
    Field("job_type", "Job type"),
    Field("cron_expr", "Cron expression", hint="0 2 * * *, @hourly, @every 90s"),
    Field("timezone", "Time zone", "UTC"),
    Field("queue", "Queue", "default"),
    Field("missed", "Missed ticks", "skip", "choice", ("skip", "one", "all")),
    Field("overlap", "While the last job runs", "allow", "choice", ("allow", "skip")),
    Field("payload", "Payload (JSON)", "null", "lines", wide=True),
]


class SchedulesPage:
    """A page of schedules, with buttons."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._names: dict[str, str] = {}

    async def build(self) -> None:
        with head("Schedules"):
            button("New schedule", "btn-main").on("click", self._create)
        self._table = table("Schedules", _COLUMNS, self._act)
        self._nothing = nothing("No schedules yet", "A schedule submits a job whenever its cron expression says so.")
        self._pager = raw("", "nav").classes("pager").props('aria-label="Pages of schedules"')
        await self._view.keep(self._refresh)

    async def _refresh(self, _change: Change) -> None:
        cursor = self._view.query.get("cursor", "")
        page = await self._view.api.get("/schedules", {"cursor": cursor} if cursor else None)
        self._names = {schedule["id"]: schedule["name"] for schedule in page["items"]}
        show_rows(self._table, [_row(schedule) for schedule in page["items"]])
        self._table.set_visibility(bool(page["items"]))
        self._nothing.set_visibility(not page["items"])
        self._pager.set_content(_pager(cursor, page["next_cursor"]))

    async def _create(self) -> None:
        async def send(values: dict[str, Any]) -> Any:
            try:
                payload = orjson.loads(values["payload"] or "null")
            except orjson.JSONDecodeError as error:
                raise ValueError(f"The payload is not JSON: {error}") from None
            return await self._view.api.post("/schedules", values | {"payload": payload})

        if created := await form("New schedule", _FIELDS, "Create", send):
            ui.navigate.to(f"/schedules/{created['id']}")

    async def _act(self, name: str, schedule_id: str) -> None:
        await command(self._view, name, schedule_id, self._names[schedule_id])
        await self._refresh(Change(everything=True))


async def schedules(view: View) -> None:
    await SchedulesPage(view).build()


async def command(view: View, name: str, schedule_id: str, title: str) -> bool:
    """Does what a button of a schedule asks for; whether it was done."""
    path = f"/schedules/{segment(schedule_id)}"
    told = {"run": f"{title} fires now", "pause": f"{title} is paused", "resume": f"{title} goes on"}
    if name in told:
        return await view.attempt(view.api.post(f"{path}/{name}"), told[name])
    if await confirmed(f"Delete {title}?", "It fires no more. Jobs that it has submitted stay.", "Delete"):
        return await view.attempt(view.api.delete(path), f"{title} is deleted")
    return False


def actions(schedule: dict[str, Any]) -> list[dict[str, Any]]:
    """The buttons of a schedule."""
    return [
        action("run", "Run now"),
        action("resume", "Resume") if schedule["paused"] else action("pause", "Pause"),
        action("delete", "Delete", bad=True),
    ]


def _row(schedule: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": schedule["id"],
        "title": schedule["name"],
        "name": schedule["name"],
        "name_href": f"/schedules/{schedule['id']}",
        "state": "paused" if schedule["paused"] else "active",
        "cron_expr": schedule["cron_expr"],
        "timezone": schedule["timezone"],
        "job": f"{schedule['job_type']} → {schedule['queue']}",
        "next": schedule["next_fire_at"],
        "actions": several(actions(schedule)),
    }


def _pager(cursor: str, following: str | None) -> str:
    first = '<a class="btn" href="/schedules">First</a>' if cursor else ""
    if not following:
        return first
    address = safe(f"/schedules?{urlencode({'cursor': following})}")
    return f'{first}<a class="btn" href="{address}">Next</a>'
