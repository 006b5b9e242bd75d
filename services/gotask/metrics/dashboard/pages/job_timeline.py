"""A job's life as HTML: its moments, and its attempts."""

from typing import Any

from gotask.metrics.dashboard.formats import between, chip, moment, plain, safe


def timeline(job: dict[str, Any]) -> str:
    """Oldest first. What has no time of its own is told by the attempts."""
    moments = [("Created", job["created_at"])]
    for attempt in job["history"]:
        moments.append((f"Attempt {attempt['attempt']} started on {plain(attempt['worker'])}", attempt["started_at"]))
        ended = f"Attempt {attempt['attempt']} ended: {attempt['outcome'].replace('_', ' ')}"
        moments.append((ended, attempt["finished_at"]))
    if job["status"] == "running" and not any(each[1] == job["started_at"] for each in moments):
        moments.append((f"Running on {plain(job['worker'])}", job["started_at"]))
    if job["due_at"]:
        moments.append(("Due", job["due_at"]))
    if job["finished_at"]:
        moments.append((f"Ended: {job['status']}", job["finished_at"]))
    return "".join(_moment(what, at) for what, at in moments if at)


def _moment(what: str, at: str) -> str:
    return f'<li><div class="what">{safe(what)}</div><div class="when">{safe(moment(at))}</div></li>'


def attempts(job: dict[str, Any]) -> str:
    """Newest first."""
    if not job["history"]:
        told = "The first is under way." if job["status"] == "running" else "None yet."
        return f'<span class="muted">{told}</span>'
    return "".join(_attempt(attempt) for attempt in reversed(job["history"]))


def _attempt(attempt: dict[str, Any]) -> str:
    error = attempt["error"]
    why = f"<div>{safe(error['type'])}: {safe(error['message'])}</div>" if error else ""
    took = between(attempt["started_at"], attempt["finished_at"])
    return (
        f'<div style="padding: 6px 0"><strong>{attempt["attempt"]}</strong> {chip(attempt["outcome"])} '
        f'<span class="muted">{safe(took)} on {safe(plain(attempt["worker"]))}</span>{why}</div>'
    )
