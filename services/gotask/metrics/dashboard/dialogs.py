"""Dialogs: a question before what cannot be undone, and forms."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from nicegui import ui

from gotask.metrics.dashboard.api import ApiError
from gotask.metrics.dashboard.formats import safe
from gotask.metrics.dashboard.markup import button, raw


@dataclass(frozen=True, slots=True)
class Field:
    """An input of a form. *choices* makes it a list, *lines* a text of several lines."""

    name: str
    label: str
    value: Any = ""
    kind: Literal["text", "number", "switch", "choice", "lines"] = "text"
    choices: tuple[str, ...] = ()
    hint: str = ""
    wide: bool = False


async def confirmed(question: str, consequence: str, verb: str) -> bool:
    """Whether the answer is *verb*. The other answer has the focus."""
    with ui.dialog() as dialog, ui.element("div").classes("dialog").props("role=document"):
        raw(f'<h2>{safe(question)}</h2><div class="muted">{safe(consequence)}</div>')
        with ui.element("div").classes("dialog-end"):
            button("Keep").props("autofocus").on("click", lambda: dialog.submit(""))
            button(verb, "btn-danger").on("click", lambda: dialog.submit(verb))
    dialog.props(f'aria-label="{safe(question)}"')
    try:
        return bool(await dialog == verb)
    finally:
        dialog.delete()


async def form(title: str, fields: list[Field], verb: str, send: Callable[[dict[str, Any]], Awaitable[Any]]) -> Any:
    """What *send* answers to the values; None when it was given up. A refusal is shown, and the form stays."""
    with ui.dialog().props(f'aria-label="{safe(title)}"') as dialog, ui.element("div").classes("dialog"):
        raw(f"<h2>{safe(title)}</h2>")
        with ui.element("div").classes("form"):
            inputs = {field.name: _input(field) for field in fields}
        problem = raw("").classes("notice").props("role=alert")
        problem.set_visibility(False)

        async def submit() -> None:
            try:
                dialog.submit([await send({name: each.value for name, each in inputs.items()})])
            except (ApiError, ValueError) as error:
                problem.set_content(safe(error))
                problem.set_visibility(True)

        with ui.element("div").classes("dialog-end"):
            button("Cancel").on("click", lambda: dialog.submit(None))
            button(verb, "btn-main").on("click", submit)
    try:
        answer = await dialog
        return answer[0] if answer else None
    finally:
        dialog.delete()


def _input(field: Field) -> Any:
    made: Any
    if field.kind == "switch":
        made = ui.switch(field.label, value=bool(field.value))
    elif field.kind == "choice":
        made = ui.select(list(field.choices), label=field.label, value=field.value).props("outlined dense")
    elif field.kind == "number":
        made = ui.number(field.label, value=field.value).props("outlined dense")
    elif field.kind == "lines":
        made = ui.textarea(field.label, value=field.value).props("outlined dense input-class=mono")
    else:
        made = ui.input(field.label, value=field.value).props("outlined dense")
    if field.hint:
        made.props(f'hint="{safe(field.hint)}"')
    return made.classes("wide" if field.wide else "")
