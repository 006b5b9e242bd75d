"""The form of a queue."""

from typing import Any

from gotask.metrics.dashboard.api import segment
from gotask.metrics.dashboard.dialogs import Field, form
from gotask.metrics.dashboard.view import View

_UNSENT = ("name", "paused", "created_at", "updated_at")
_WHOLE = ("max_workers", "max_length", "priority", "weight", "max_retries")
_NEW: dict[str, Any] = {
    "max_workers": 0,
    "max_length": 0,
    "rate_limit": 0,
    "priority": 1,
    "weight": 1,
    "max_retries": 3,
    "retry_strategy": "exponential",
    "retry_delay": "1m",
    "max_retry_delay": "1h",
    "timeout": "5m",
    "lease": "30s",
    "dead_letter": True,
}


async def create_queue(view: View) -> bool:
    """Whether one was created."""

    async def send(values: dict[str, Any]) -> Any:
        return await view.api.post("/queues", _typed(values))

    return bool(await form("New queue", [Field("name", "Name", wide=True), *_fields(_NEW)], "Create", send))


async def edit_queue(view: View, queue: dict[str, Any]) -> bool:
    """Whether it was changed. What the form does not show stays."""
    kept = {name: value for name, value in queue.items() if name not in _UNSENT}

    async def send(values: dict[str, Any]) -> Any:
        return await view.api.put(f"/queues/{segment(queue['name'])}", kept | _typed(values))

    return bool(await form(f"Queue {queue['name']}", _fields(queue), "Save", send))


def _typed(values: dict[str, Any]) -> dict[str, Any]:
    """Numbers as JSON wants them; what was left empty takes its default."""
    given = {name: value for name, value in values.items() if value not in (None, "")}
    return {name: int(value) if name in _WHOLE else value for name, value in given.items()}


def _fields(queue: dict[str, Any]) -> list[Field]:
    return [
        Field("max_workers", "Jobs at once (0: no limit)", queue["max_workers"], "number"),
        Field("max_length", "Jobs waiting (0: no limit)", queue["max_length"], "number"),
        Field("rate_limit", "Starts per second (0: no limit)", queue["rate_limit"], "number"),
        Field("priority", "Priority (higher first)", queue["priority"], "number"),
        Field("weight", "Weight among equals", queue["weight"], "number"),
        Field("max_retries", "Retries", queue["max_retries"], "number"),
        Field(
            "retry_strategy", "Retry delay grows", queue["retry_strategy"], "choice", ("exponential", "linear", "fixed")
        ),
        Field("retry_delay", "First retry after", queue["retry_delay"]),
        Field("max_retry_delay", "Longest retry delay", queue["max_retry_delay"]),
        Field("timeout", "Time-out of an attempt", queue["timeout"]),
        Field("lease", "Lease of a silent worker", queue["lease"]),
        Field("dead_letter", "Keep dead letters", queue["dead_letter"], "switch"),
    ]
