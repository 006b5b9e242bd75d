"""/jobs/{id}: one job, live."""

from typing import Any

import orjson
from nicegui import ui

from gotask.metrics.dashboard.api import segment
from gotask.metrics.dashboard.changes import Change
from gotask.metrics.dashboard.dialogs import Field, confirmed, form
from gotask.metrics.dashboard.formats import between, chip, json_text, moment, plain, safe
from gotask.metrics.dashboard.frame import head
from gotask.metrics.dashboard.markup import button, facts, heading, link, raw
from gotask.metrics.dashboard.pages.job_timeline import attempts, timeline
from gotask.metrics.dashboard.view import View

_WAITING = ("pending", "running", "scheduled", "retrying")
_RETRIED = ("failed", "dead", "cancelled", "expired")
_COPIED = (
    "type",
    "queue",
    "priority",
    "max_retries",
    "retry_strategy",
    "retry_delay",
    "max_retry_delay",
    "retry_jitter",
    "timeout",
    "tags",
    "metadata",
)


class JobPage:
    """A job's facts, payload, result, attempts and timeline, and what can be done with it."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._path = f"/jobs/{segment(view.path['job_id'])}"
        self._job: dict[str, Any] = {}

    async def build(self) -> None:
        self._job = await self._view.api.get(self._path)
        with head(self._job["type"]):
            self._buttons = {
                "cancel": button("Cancel", "btn-bad").on("click", self._cancel),
                "retry": button("Retry").on("click", self._retry),
                "again": button("Run again …").on("click", self._run_again),
                "delete": button("Delete", "btn-bad").on("click", self._delete),
            }
        self._progress = raw("").classes("card progress")
        self._facts = raw("", "dl").classes("card facts")
        self._error = raw("").classes("card")
        with ui.element("div").classes("grid two"):
            self._payload, self._result = _json_card("Payload"), _json_card("Result")
        with ui.element("div").classes("grid two"):
            with ui.element("div").classes("card"):
                heading("Timeline")
                self._timeline = raw("", "ol").classes("timeline")
            with ui.element("div").classes("card"):
                heading("Attempts")
                self._attempts = raw("")
        await self._view.keep(self._refresh)

    async def _refresh(self, change: Change) -> None:
        if not change.of_job(self._job["id"]):
            return
        self._job = await self._view.api.get(self._path)
        self._show()

    def _show(self) -> None:
        job = self._job
        status = job["status"]
        self._buttons["cancel"].set_visibility(status in _WAITING)
        self._buttons["retry"].set_visibility(status in _RETRIED)
        self._buttons["delete"].set_visibility(status not in _WAITING)
        self._progress.set_content(_progress(job["progress"]))
        self._progress.set_visibility(bool(job["progress"]))
        self._facts.set_content(facts(_facts(job)))
        self._error.set_content(_error(job["error"]))
        self._error.set_visibility(bool(job["error"]))
        self._payload.set_content(safe(json_text(job["payload"])))
        self._result.set_content(safe(json_text(job["result"])))
        self._timeline.set_content(timeline(job))
        self._attempts.set_content(attempts(job))

    async def _cancel(self) -> None:
        question = "Cancel this job?"
        if await confirmed(question, "It does not run; if it runs, its handler is told to end.", "Cancel the job"):
            await self._do(self._view.api.post(f"{self._path}/cancel"), "The job is cancelled, or told to end")

    async def _retry(self) -> None:
        await self._do(self._view.api.post(f"{self._path}/retry"), "The job is pending again")

    async def _do(self, work: Any, told: str) -> None:
        if await self._view.attempt(work, told):
            await self._refresh(Change(everything=True))

    async def _delete(self) -> None:
        if not await confirmed("Delete this job?", "Its payload, result and attempts are forgotten.", "Delete"):
            return
        if await self._view.attempt(self._view.api.delete(self._path), "The job is deleted"):
            ui.navigate.to("/jobs")

    async def _run_again(self) -> None:
        """As a new job, with the payload as it is changed in the form."""
        copied = {name: self._job[name] for name in _COPIED if self._job[name] is not None}

        async def send(values: dict[str, Any]) -> Any:
            try:
                payload = orjson.loads(values["payload"])
            except orjson.JSONDecodeError as error:
                raise ValueError(f"The payload is not JSON: {error}") from None
            return await self._view.api.post("/jobs", copied | {"payload": payload})

        payload = Field("payload", "Payload (JSON)", json_text(self._job["payload"]), "lines", wide=True)
        if created := await form("Run again as a new job", [payload], "Submit", send):
            ui.navigate.to(f"/jobs/{created['id']}")


async def job(view: View) -> None:
    await JobPage(view).build()


def _json_card(title: str) -> ui.html:
    with ui.element("div").classes("card"):
        heading(title)
        return raw("", "pre").props(f'tabindex=0 role=region aria-label="{title}"')


def _facts(job: dict[str, Any]) -> list[tuple[str, str]]:
    status = chip(job["status"]) + (" told to end" if job["cancel_requested"] else "")
    return [
        ("Status", status),
        ("Id", f'<span class="mono">{safe(job["id"])}</span>'),
        ("Queue", link(f"/jobs?queue={job['queue']}", job["queue"])),
        ("Priority", safe(job["priority"])),
        (
            "Attempts",
            safe(
                f"{job['attempts']} of {job['max_retries'] + 1}" if job["max_retries"] is not None else job["attempts"]
            ),
        ),
        ("Worker", safe(plain(job["worker"]))),
        ("Created", safe(moment(job["created_at"]))),
        ("Due", safe(moment(job["due_at"]))),
        ("Waited", safe(between(job["ready_at"], job["started_at"]))),
        ("Ran", safe(between(job["started_at"], job["finished_at"]))),
        ("Time-out", safe(plain(job["timeout"]))),
        ("Tags", safe(plain(job["tags"]))),
        ("Metadata", safe(plain(job["metadata"]))),
        ("Keys", safe(plain([key for key in (job["idempotency_key"], job["unique_key"]) if key]))),
    ]


def _progress(progress: dict[str, Any] | None) -> str:
    if not progress:
        return ""
    percent = progress["percent"]
    message = safe(progress["message"] or "Progress")
    return (
        f'<div class="bar"><span>{message}</span><div class="bar-track" role="progressbar" aria-label="{message}" '
        f'aria-valuemin="0" aria-valuemax="100" aria-valuenow="{percent:g}">'
        f'<div class="bar-fill" style="width:{percent:g}%"></div></div><strong>{percent:.0f} %</strong></div>'
    )


def _error(error: dict[str, Any] | None) -> str:
    if not error:
        return ""
    trace = error["traceback"]
    lines = f'<pre tabindex="0" role="region" aria-label="Traceback">{safe(trace)}</pre>' if trace else ""
    return f"<h2>{safe(error['type'])}</h2><div>{safe(error['message'])}</div>{lines}"
