"""Small pieces of pages. Whatever is not ours is escaped here."""

from collections.abc import Iterable

from nicegui import ui

from gotask.metrics.dashboard.formats import safe


def raw(markup: str, tag: str = "div") -> ui.html:
    """HTML that is ours, or escaped."""
    return ui.html(markup, sanitize=False, tag=tag)


def heading(text: str) -> None:
    raw(safe(text), "h2")


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and values; the values are HTML."""
    return "".join(f"<div><dt>{safe(name)}</dt><dd>{value}</dd></div>" for name, value in pairs)


def link(href: str, text: str) -> str:
    return f'<a href="{safe(href)}">{safe(text)}</a>'


def empty(title: str, advice: str) -> ui.element:
    """What is shown where there is nothing, and how to come by something."""
    card = ui.element("div").classes("card empty")
    with card:
        raw(f'<h2>{safe(title)}</h2><div class="muted">{advice}</div>')
    return card


def nothing(title: str, advice: str) -> ui.element:
    """As :func:`empty`, but hidden until it is known that there is nothing."""
    card = empty(title, advice)
    card.set_visibility(False)
    return card


def button(text: str, kind: str = "") -> ui.element:
    """A button; give it its work with ``.on("click", …)``."""
    made = ui.element("button").classes(f"btn {kind}").props("type=button")
    with made:
        raw(safe(text), "span")
    return made
