"""/workers: who runs what, and how busy they are."""

from typing import Any

from gotask.metrics.dashboard.api import segment
from gotask.metrics.dashboard.changes import Change
from gotask.metrics.dashboard.frame import head
from gotask.metrics.dashboard.markup import nothing
from gotask.metrics.dashboard.table import Column, action, several, show_rows, table
from gotask.metrics.dashboard.view import View

_RUNS = 5
_COLUMNS = [
    Column("name", "Worker"),
    Column("state", "State", "state"),
    Column("used", "In use", "bar"),
    Column("runs", "Runs", "links"),
    Column("queues", "Queues", wide=True),
    Column("host", "Machine", wide=True),
    Column("seen_at", "Last heard of", "time", wide=True),
    Column("actions", "Actions", "actions"),
]
_ADVICE = "Jobs wait until there is one. Start it: <code>gotask worker myapp.jobs:app --queues default</code>"


async def workers(view: View) -> None:
    with head("Workers"):
        pass

    async def act(name: str, worker: str) -> None:
        told = {
            "drain": f"{worker} finishes what it has and takes nothing more",
            "resume": f"{worker} takes jobs again",
        }
        await view.attempt(view.api.post(f"/workers/{segment(worker)}/{name}"), told[name])
        await refresh(Change(everything=True))

    shown = table("Workers", _COLUMNS, act)
    none = nothing("No workers", _ADVICE)

    async def refresh(_change: Change) -> None:
        found = (await view.api.get("/workers"))["items"]
        show_rows(shown, [_row(worker) for worker in found])
        shown.set_visibility(bool(found))
        none.set_visibility(not found)

    await view.keep(refresh)


def _row(worker: dict[str, Any]) -> dict[str, Any]:
    running, slots, draining = worker["running"], worker["concurrency"], worker["draining"]
    return {
        "id": worker["id"],
        "title": worker["id"],
        "name": worker["id"],
        "state": "draining" if draining else "active",
        "used": {"percent": min(100 * running / max(slots, 1), 100), "text": f"{running} of {slots}"},
        "runs": several([{"href": f"/jobs/{run['job_id']}", "text": run["type"]} for run in worker["runs"][:_RUNS]]),
        "queues": ", ".join(worker["queues"]),
        "host": f"{worker['hostname']}, {worker['pid']}",
        "seen_at": worker["seen_at"],
        "actions": several([action("resume", "Resume") if draining else action("drain", "Drain")]),
    }
