"""/queues: all queues, and what can be done with them."""

from typing import Any

from nicegui import ui

from gotask.metrics.dashboard.api import ApiError, segment
from gotask.metrics.dashboard.changes import Change
from gotask.metrics.dashboard.dialogs import confirmed
from gotask.metrics.dashboard.formats import count, rate
from gotask.metrics.dashboard.frame import head
from gotask.metrics.dashboard.markup import button, nothing
from gotask.metrics.dashboard.pages.queue_form import create_queue, edit_queue
from gotask.metrics.dashboard.table import Column, action, several, show_rows, table
from gotask.metrics.dashboard.view import View

_MOST_ASKED = 20
_FROM_STATS = {
    "pending_jobs": "pending",
    "running_jobs": "running",
    "scheduled": "scheduled",
    "retrying": "retrying",
    "dead": "dead",
}
_COLUMNS = [
    Column("name", "Queue", "link", sortable=True),
    Column("state", "State", "state"),
    Column("pending", "Pending", "number"),
    Column("running", "Running", "number"),
    Column("later", "Scheduled, retrying", "number", wide=True),
    Column("dead", "Dead", "number"),
    Column("ended", "Ended /s", "number", wide=True),
    Column("actions", "Actions", "actions"),
]


class QueuesPage:
    """Settings come from the list of queues; counts from the figures, or from the statistics if there are few."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._queues: dict[str, dict[str, Any]] = {}
        self._counts: dict[str, dict[str, int]] = {}

    async def build(self) -> None:
        with head("Queues"):
            button("New queue", "btn-main").on("click", self._create)
        self._table = table("Queues", _COLUMNS, self._act)
        self._nothing = nothing("No queues yet", "The first job of a queue makes it, and so does the button above.")
        await self._view.keep(self._refresh)

    async def _refresh(self, change: Change) -> None:
        if change.everything or not change.queues <= self._queues.keys():
            await self._load()
        moved = [name for name in change.queues if name in self._queues]
        for name in moved[:_MOST_ASKED]:
            await self._ask(name)
        self._show()

    async def _load(self) -> None:
        self._queues = {queue["name"]: queue for queue in (await self._view.api.get("/queues"))["items"]}
        if len(self._queues) <= _MOST_ASKED:
            for name in list(self._queues):
                await self._ask(name)

    async def _ask(self, name: str) -> None:
        try:
            stats = await self._view.api.get(f"/queues/{segment(name)}/stats")
        except ApiError as error:
            if error.status != 404:
                raise
            self._queues.pop(name, None)
        else:
            self._counts[name] = {short: stats[long] for long, short in _FROM_STATS.items()}

    def _show(self) -> None:
        figures = self._view.history.figures.get("queues", {})
        rows = [self._row(queue, figures.get(name, {})) for name, queue in self._queues.items()]
        show_rows(self._table, rows)
        self._table.set_visibility(bool(rows))
        self._nothing.set_visibility(not rows)

    def _row(self, queue: dict[str, Any], figures: dict[str, Any]) -> dict[str, Any]:
        name, paused = queue["name"], queue["paused"]
        counts = self._counts.get(name) if len(self._queues) <= _MOST_ASKED else None
        shown = counts or {short: figures.get(short, 0) for short in _FROM_STATS.values()}
        minute = figures.get("last_minute", {"ended_per_second": 0.0})
        return {
            "id": name,
            "title": name,
            "name": name,
            "name_href": f"/jobs?queue={name}",
            "state": "paused" if paused else "active",
            "pending": count(shown["pending"]),
            "running": count(shown["running"]),
            "later": count(shown["scheduled"] + shown["retrying"]),
            "dead": count(shown["dead"]),
            "ended": rate(minute["ended_per_second"]),
            "actions": several(
                [
                    action("resume", "Resume") if paused else action("pause", "Pause"),
                    action("edit", "Edit"),
                    action("purge", "Purge", bad=True),
                    action("delete", "Delete", bad=True),
                ]
            ),
        }

    async def _create(self) -> None:
        if await create_queue(self._view):
            await self._reload()

    async def _act(self, name: str, queue: str) -> None:
        path = f"/queues/{segment(queue)}"
        api, view = self._view.api, self._view
        if name == "pause":
            await view.attempt(api.post(f"{path}/pause"), f"{queue} starts no jobs now")
        elif name == "resume":
            await view.attempt(api.post(f"{path}/resume"), f"{queue} starts jobs again")
        elif name == "edit":
            await edit_queue(view, self._queues[queue])
        elif name == "purge":
            await self._purge(queue, path)
        elif await confirmed(f"Delete {queue}?", "Its finished jobs are forgotten, too.", "Delete"):
            await view.attempt(api.delete(path), f"{queue} is deleted")
        await self._reload()

    async def _purge(self, queue: str, path: str) -> None:
        try:
            stats = await self._view.api.get(f"{path}/stats")
        except ApiError as error:
            ui.notify(error.detail, type="negative")
            return
        waiting = stats["pending_jobs"] + stats["scheduled"] + stats["retrying"]
        question = f"Cancel {waiting:,} waiting jobs of {queue}?"
        consequence = "They do not run, unless they are retried one by one. Running jobs go on."
        if await confirmed(question, consequence, "Purge"):
            await self._view.attempt(self._purge_all(path), f"No job waits in {queue} now")

    async def _purge_all(self, path: str) -> None:
        while not (await self._view.api.post(f"{path}/purge"))["complete"]:
            pass

    async def _reload(self) -> None:
        await self._refresh(Change(everything=True))


async def queues(view: View) -> None:
    await QueuesPage(view).build()
