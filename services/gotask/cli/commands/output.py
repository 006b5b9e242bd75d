"""What commands print: tables for people, JSON for programs. Only results go to standard output."""

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

_WIDE = 10_000


class Output:
    """Where to print, and how."""

    def __init__(self, *, json: bool) -> None:
        self.json = json
        self.console = Console(highlight=False)
        if not self.console.is_terminal:
            # Lines that a program reads are not to be wrapped.
            self.console = Console(highlight=False, width=_WIDE)
        self._notes = Console(stderr=True, highlight=False)

    def show(self, document: Callable[[], Any], view: Callable[[], RenderableType]) -> None:
        """A result: the document as JSON, or what people read."""
        if self.json:
            self.line(orjson.dumps(document(), option=orjson.OPT_INDENT_2))
        else:
            self.console.print(view())

    def each(self, document: Callable[[], Any], view: Callable[[], RenderableType]) -> None:
        """One of many results: JSON in one line, or a line that people read."""
        if self.json:
            self.line(orjson.dumps(document()))
        else:
            self.console.print(view(), soft_wrap=True)

    def line(self, data: bytes) -> None:
        sys.stdout.buffer.write(data + b"\n")
        sys.stdout.buffer.flush()

    def note(self, text: str) -> None:
        """Something beside the result."""
        self._notes.print(text, markup=False, soft_wrap=True)

    def progress(self) -> Progress:
        """A progress display on standard error; nothing where that is no terminal."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        return Progress(*columns, console=self._notes, transient=True, disable=self.json or not self._notes.is_terminal)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Numbers to the right, where a column's name ends in ``>``."""
    made = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        right = column.endswith(">")
        made.add_column(column.removesuffix(">"), justify="right" if right else "left", overflow="fold")
    for row in rows:
        made.add_row(*(str(cell) for cell in row))
    return made


def record(fields: Iterable[tuple[str, object]]) -> Table:
    """One thing, a line for each field that has a value."""
    made = Table(box=None, show_header=False, pad_edge=False)
    made.add_column(style="bold")
    made.add_column(overflow="fold")
    for name, value in fields:
        if value not in (None, "", (), {}):
            made.add_row(name, str(value))
    return made
