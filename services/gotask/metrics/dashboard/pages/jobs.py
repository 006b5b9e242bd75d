"""/jobs: a page of jobs. What is looked for stands in the address, so that it can be kept and shared."""

from typing import Any
from urllib.parse import urlencode

from gotask.metrics.dashboard.changes import Change
from gotask.metrics.dashboard.formats import between, safe
from gotask.metrics.dashboard.frame import head
from gotask.metrics.dashboard.markup import nothing, raw
from gotask.metrics.dashboard.table import Column, show_rows, table
from gotask.metrics.dashboard.view import View

STATES = ("pending", "running", "scheduled", "retrying", "success", "failed", "dead", "cancelled", "expired")
_CRITERIA = ("status", "queue", "type", "tag")
_PAGE = 50
_COLUMNS = [
    Column("short", "Job", "link"),
    Column("type", "Type"),
    Column("queue", "Queue", wide=True),
    Column("status", "Status", "state"),
    Column("attempts", "Attempts", "number", wide=True),
    Column("created_at", "Created", "time", wide=True),
    Column("took", "Ran", "number", wide=True),
    Column("worker", "Worker", wide=True),
]


async def jobs(view: View) -> None:
    wanted = {name: view.query[name].strip() for name in _CRITERIA if view.query.get(name, "").strip()}
    cursor = view.query.get("cursor", "")
    with head("Jobs"):
        pass
    raw(_find(), "form").classes("card filters").props('method=get action="/job" role=search aria-label="Find a job"')
    raw(_filters(wanted), "form").classes("card filters").props('method=get action="/jobs" aria-label="Filter"')
    shown = table("Jobs", _COLUMNS)
    none = nothing("No jobs here", _advice(wanted))
    pager = raw("", "nav").classes("pager").props('aria-label="Pages of jobs"')

    async def refresh(change: Change) -> None:
        if not (change.everything or change.jobs):
            return
        page = await view.api.get("/jobs", wanted | {"limit": _PAGE} | ({"cursor": cursor} if cursor else {}))
        show_rows(shown, [_row(job) for job in page["items"]])
        shown.set_visibility(bool(page["items"]))
        none.set_visibility(not page["items"])
        pager.set_content(_pager(wanted, cursor, page["next_cursor"]))

    await view.keep(refresh)


def _row(job: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": job["id"],
        "title": job["id"],
        "short": f"…{job['id'][-12:]}",
        "short_href": f"/jobs/{job['id']}",
        **{name: job[name] for name in ("type", "queue", "status", "attempts", "created_at", "worker")},
        "took": between(job["started_at"], job["finished_at"]),
    }


def _find() -> str:
    return (
        '<div class="field grow"><label for="id">Job id</label>'
        '<input id="id" name="id" class="mono" required autocomplete="off" spellcheck="false"></div>'
        '<button class="btn">Open</button>'
    )


def _filters(wanted: dict[str, str]) -> str:
    options = "".join(
        f"<option{' selected' if state == wanted.get('status') else ''}>{state}</option>" for state in STATES
    )
    inputs = "".join(
        f'<div class="field"><label for="{name}">{name.capitalize()}</label>'
        f'<input id="{name}" name="{name}" value="{safe(wanted.get(name, ""))}" autocomplete="off"></div>'
        for name in _CRITERIA[1:]
    )
    clear = '<a class="btn" href="/jobs">Clear</a>' if wanted else ""
    return (
        '<div class="field"><label for="status">Status</label>'
        f'<select id="status" name="status"><option value="">any</option>{options}</select></div>'
        f'{inputs}<button class="btn btn-main">Filter</button>{clear}'
    )


def _advice(wanted: dict[str, str]) -> str:
    if wanted:
        return 'None matches. <a href="/jobs">Show all jobs</a>'
    return 'Submit one: <code>gotask submit echo \'{"hello": "world"}\'</code>'


def _pager(wanted: dict[str, str], cursor: str, following: str | None) -> str:
    newest = f'<a class="btn" href="/jobs?{safe(urlencode(wanted))}">Newest</a>' if cursor else ""
    if not following:
        return newest
    older = safe(urlencode(wanted | {"cursor": following}))
    return f'{newest}<a class="btn" href="/jobs?{older}">Older</a>'
