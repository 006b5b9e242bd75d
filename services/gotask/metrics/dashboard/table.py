"""Tables: cells by kind, buttons at the end of rows."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from nicegui import ui
from nicegui.events import GenericEventArguments

Kind = Literal["text", "link", "number", "state", "time", "bar", "links", "actions"]
Act = Callable[[str, str], Awaitable[None]]
"""Takes the name of a row's button and the row's key."""

_CELLS = """
<q-td :props="props" :class="'cell-' + props.col.kind" :data-label="props.col.label">
  <a v-if="props.col.kind == 'link'" :href="props.row[props.col.name + '_href']">{{ props.value }}</a>
  <span v-else-if="props.col.kind == 'state'" :class="'chip chip-' + props.value">{{
    props.value.replace('_', ' ') }}</span>
  <time v-else-if="props.col.kind == 'time' && props.value" :datetime="props.value" :title="props.value">{{
    new Date(props.value).toLocaleString(undefined, {month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit',
    second: '2-digit', hour12: false}) }}</time>
  <div v-else-if="props.col.kind == 'bar'" class="bar">
    <div class="bar-track"><div class="bar-fill" :style="{width: props.value.percent + '%'}"></div></div>
    <span>{{ props.value.text }}</span>
  </div>
  <span v-else-if="props.col.kind == 'links'"><span v-for="(each, at) in props.value.each" :key="each.href">
    <span v-if="at">, </span><a :href="each.href">{{ each.text }}</a></span></span>
  <span v-else-if="props.col.kind == 'actions'"><button v-for="each in props.value.each" :key="each.name" type="button"
    :class="'row-btn' + (each.bad ? ' bad' : '')" :aria-label="each.text + ' ' + props.row.title"
    @click="$parent.$emit('act', {name: each.name, key: props.row.id})">{{ each.text }}</button></span>
  <span v-else :title="props.value">{{ props.value === null || props.value === '' ? '–' : props.value }}</span>
</q-td>
"""


@dataclass(frozen=True, slots=True)
class Column:
    """*wide*: not shown on a phone. A link's address is the row's value ``<name>_href``."""

    name: str
    label: str
    kind: Kind = "text"
    wide: bool = False
    sortable: bool = False


def several(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """The links or buttons of one cell."""
    return {"each": cells}


def action(name: str, text: str, *, bad: bool = False) -> dict[str, Any]:
    """A button of a row; *bad*: what it does cannot be undone."""
    return {"name": name, "text": text, "bad": bad}


def table(label: str, columns: list[Column], act: Act | None = None) -> ui.table:
    """An empty table; set its ``rows``. Each has an ``id``, and a ``title`` by which its buttons are told apart."""
    made = ui.table(columns=[_quasar(column) for column in columns], rows=[], row_key="id")
    made.props(f'flat hide-pagination hide-no-data :rows-per-page-options="[0]" role=region aria-label="{label}"')
    made.add_slot("body-cell", _CELLS)
    if act is not None:

        async def on_act(event: GenericEventArguments) -> None:
            await act(event.args["name"], event.args["key"])

        made.on("act", on_act).classes("acting")
    return made


def show_rows(made: ui.table, rows: list[dict[str, Any]]) -> None:
    """Sends the rows, if they are not those that are shown."""
    if rows != made.rows:
        made.rows = rows


def _quasar(column: Column) -> dict[str, Any]:
    classes = "wide-only" if column.wide else ""
    return {
        "name": column.name,
        "label": column.label,
        "field": column.name,
        "kind": column.kind,
        "align": "right" if column.kind in ("number", "actions") else "left",
        "sortable": column.sortable,
        "classes": classes,
        "headerClasses": classes,
    }
