"""Values as people read them."""

import html
from datetime import UTC, datetime
from typing import Any

import orjson

_NONE = "–"


def count(value: float) -> str:
    """12, 1,234, 56.7k, 1.2M."""
    if value >= 1_000_000:
        return f"{value / 1_000_000:.2f}M"
    if value >= 10_000:
        return f"{value / 1_000:.1f}k"
    return f"{value:,.0f}"


def rate(value: float) -> str:
    """A rate per second; small ones with a digit more."""
    return count(value) if value >= 100 else f"{value:.1f}"


def seconds(value: float | None) -> str:
    """A duration in the unit that suits it."""
    if value is None:
        return _NONE
    if value < 1:
        return f"{value * 1_000:.3g} ms"
    if value < 120:
        return f"{value:.3g} s"
    return f"{value / 60:.1f} min" if value < 7_200 else f"{value / 3_600:.1f} h"


def moment(text: str | None) -> str:
    """An RFC 3339 time as date and time, UTC."""
    if not text:
        return _NONE
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def between(start: str | None, end: str | None) -> str:
    """How long from one RFC 3339 time to another."""
    if not start or not end:
        return _NONE
    return seconds((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())


def plain(value: Any) -> str:
    """A setting's value as text."""
    if value is None or value in ("", [], {}):
        return _NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{name}: {each}" for name, each in value.items())
    return str(value)


def json_text(value: Any) -> str:
    """JSON as people read it."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def safe(text: Any) -> str:
    """Text inside HTML."""
    return html.escape(str(text))


def chip(state: str) -> str:
    """A state, in its colour."""
    return f'<span class="chip chip-{safe(state)}">{safe(state).replace("_", " ")}</span>'
