"""/dead: dead letters of a queue, grouped by what killed them."""

import asyncio
from collections import Counter
from typing import Any

from gotask.metrics.dashboard.api import segment
from gotask.metrics.dashboard.changes import Change
from gotask.metrics.dashboard.dialogs import confirmed
from gotask.metrics.dashboard.formats import count, safe
from gotask.metrics.dashboard.frame import head
from gotask.metrics.dashboard.markup import button, nothing, raw
from gotask.metrics.dashboard.table import Column, action, several, show_rows, table
from gotask.metrics.dashboard.view import View

_PAGE = 500
_MOST_PAGES = 4
_MOST_QUEUES = 20
_COLUMNS = [
    Column("error", "Error"),
    Column("job_type", "Job type"),
    Column("count", "Jobs", "number"),
    Column("message", "Latest message", wide=True),
    Column("latest", "Latest", "link", wide=True),
    Column("actions", "Actions", "actions"),
]
Group = tuple[str, str]
"""An error's type, and the type of the jobs."""


class DeadPage:
    """Groups the newest two thousand; its buttons reach all that are alike, however many."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._queue = view.query.get("queue", "")
        self._groups: dict[str, Group] = {}
        self._shown = -1

    async def build(self) -> None:
        with head("Dead letters"):
            self._purge_button = button("Purge all", "btn-bad").on("click", self._purge_queue)
            self._purge_button.set_visibility(False)
        self._links = raw("", "nav").classes("buttons").props('aria-label="Queues"')
        self._note = raw("").classes("muted")
        self._table = table("Dead letters by error", _COLUMNS, self._act)
        self._nothing = nothing("No dead letters", "Jobs that have used up their attempts come here. None has.")
        await self._view.keep(self._refresh)

    async def _refresh(self, change: Change) -> None:
        if not (change.everything or change.queues):
            return
        counts = await self._counts()
        if not self._queue:
            self._queue = next((name for name, dead in counts.items() if dead), "")
        self._links.set_content(
            "".join(_link(name, dead, self._queue) for name, dead in counts.items() if dead or name == self._queue)
        )
        dead_jobs = counts.get(self._queue, 0)
        if dead_jobs != self._shown:
            self._show(await self._found() if dead_jobs else [], dead_jobs)
            self._shown = dead_jobs

    async def _counts(self) -> dict[str, int]:
        """Dead letters by queue: told at once for few queues, from the figures for many."""
        names = [queue["name"] for queue in (await self._view.api.get("/queues"))["items"]]
        if len(names) > _MOST_QUEUES:
            figures = (await self._view.api.get("/metrics"))["queues"]
            return {name: figures.get(name, {}).get("dead", 0) for name in names}
        stats = await asyncio.gather(*(self._view.api.get(f"/queues/{segment(name)}/stats") for name in names))
        return {name: each["dead"] for name, each in zip(names, stats, strict=True)}

    async def _found(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        params: dict[str, Any] = {"limit": _PAGE}
        for _ in range(_MOST_PAGES):
            page = await self._view.api.get(f"{self._path}/dead", params)
            found += page["items"]
            if not page["next_cursor"]:
                break
            params["cursor"] = page["next_cursor"]
        return found

    def _show(self, found: list[dict[str, Any]], dead: int) -> None:
        sizes = Counter(_group(job) for job in found)
        latest = {_group(job): job for job in reversed(found)}
        self._groups = {"/".join(group): group for group in sizes}
        show_rows(self._table, [_row(group, size, latest[group]) for group, size in sizes.most_common()])
        self._table.set_visibility(bool(found))
        self._purge_button.set_visibility(bool(found))
        self._nothing.set_visibility(not found)
        partly = len(found) < dead and len(found) >= _PAGE * _MOST_PAGES
        self._note.set_visibility(partly)
        self._note.set_content(f"The newest {count(len(found))} of {count(dead)}, grouped." if partly else "")

    @property
    def _path(self) -> str:
        return f"/queues/{segment(self._queue)}"

    async def _act(self, name: str, key: str) -> None:
        error_type, job_type = self._groups[key]
        those = {"error_type": error_type, "type": job_type}
        if name == "retry":
            await self._view.attempt(self._retry(those), f"All {job_type} jobs with {error_type} are pending again")
        elif await confirmed(
            f"Purge all {job_type} jobs with {error_type}?", "They are forgotten and cannot be retried.", "Purge"
        ):
            await self._view.attempt(self._purge(those), f"All {job_type} jobs with {error_type} are forgotten")
        await self._reload()

    async def _purge_queue(self) -> None:
        consequence = "They are forgotten and cannot be retried."
        if await confirmed(f"Purge all {self._shown:,} dead letters of {self._queue}?", consequence, "Purge"):
            await self._view.attempt(self._purge({}), f"{self._queue} has no dead letters now")
            await self._reload()

    async def _reload(self) -> None:
        self._shown = -1
        await self._refresh(Change(everything=True))

    async def _retry(self, those: dict[str, str]) -> None:
        while not (await self._view.api.post(f"{self._path}/dead/retry", those))["complete"]:
            pass

    async def _purge(self, those: dict[str, str]) -> None:
        while not (await self._view.api.delete(f"{self._path}/dead", those))["complete"]:
            pass


async def dead(view: View) -> None:
    await DeadPage(view).build()


def _group(job: dict[str, Any]) -> Group:
    return (job["error"]["type"] if job["error"] else "", job["type"])


def _row(group: Group, size: int, latest: dict[str, Any]) -> dict[str, Any]:
    error_type, job_type = group
    return {
        "id": "/".join(group),
        "title": f"all {job_type} with {error_type}",
        "error": error_type,
        "job_type": job_type,
        "count": count(size),
        "message": latest["error"]["message"] if latest["error"] else "",
        "latest": f"…{latest['id'][-12:]}",
        "latest_href": f"/jobs/{latest['id']}",
        "actions": several([action("retry", "Retry all"), action("purge", "Purge", bad=True)]),
    }


def _link(name: str, dead_jobs: int, current: str) -> str:
    here = ' aria-current="page"' if name == current else ""
    kind = "btn btn-main" if name == current else "btn"
    return f'<a class="{kind}" href="/dead?queue={safe(name)}"{here}>{safe(name)} · {count(dead_jobs)}</a>'
