"""Charts of the last five minutes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from nicegui import ui

from gotask.metrics.dashboard.history import Sample
from gotask.metrics.dashboard.markup import heading

BLUE, GREEN, RED, AMBER, VIOLET = "#5b7cfa", "#2fa968", "#e5534b", "#d99a1c", "#9a6cf0"
_GREY = "#8391a3"
_SPAN_MS = 300_000


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chart: its name, its colour, and its value in a sample (None: a gap)."""

    name: str
    colour: str
    value: Callable[[Sample], float | None]


class Chart:
    """A card with lines over time."""

    def __init__(self, title: str, unit: str, lines: Iterable[Line], *, stacked: bool = False) -> None:
        """
        :param unit: behind the values, such as " /s".
        :param stacked: areas one above the other, for parts of a whole.
        """
        self._lines = list(lines)
        with ui.element("div").classes("card"):
            heading(title)
            self._chart = ui.echart(_options(self._lines, unit, stacked)).classes("chart")
            self._chart.props(f'role=img aria-label="{title}, the last five minutes"')

    def show(self, samples: Iterable[Sample]) -> None:
        """Sends the points alone: the chart moves, and is not drawn anew."""
        shown = list(samples)
        end_ms = shown[-1].at_s * 1_000 if shown else 0
        series = [
            {"data": [[round(sample.at_s * 1_000), _rounded(line.value(sample))] for sample in shown]}
            for line in self._lines
        ]
        self._chart.options["xAxis"].update(min=round(end_ms - _SPAN_MS), max=round(end_ms))
        for known, new in zip(self._chart.options["series"], series, strict=True):
            known.update(new)
        self._chart.update()


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _options(lines: list[Line], unit: str, stacked: bool) -> dict[str, Any]:
    text = {"color": _GREY, "fontSize": 11}
    return {
        "animation": False,
        "color": [line.colour for line in lines],
        "grid": {"left": 4, "right": 12, "top": 34, "bottom": 2, "containLabel": True},
        "legend": {"top": 0, "left": 0, "icon": "roundRect", "itemWidth": 10, "itemHeight": 4, "textStyle": text},
        "tooltip": {"trigger": "axis", ":valueFormatter": f"value => value == null ? '–' : value + '{unit}'"},
        "xAxis": {
            "type": "time",
            "axisLine": {"show": False},
            "axisTick": {"show": False},
            "splitNumber": 4,
            "axisLabel": {**text, "hideOverlap": True, "formatter": "{HH}:{mm}"},
        },
        "yAxis": {
            "type": "value",
            "min": 0,
            "splitNumber": 3,
            "axisLabel": {**text, "formatter": f"{{value}}{unit}"},
            "splitLine": {"lineStyle": {"color": _GREY, "opacity": 0.18}},
        },
        "series": [_series(line, stacked) for line in lines],
    }


def _series(line: Line, stacked: bool) -> dict[str, Any]:
    return {
        "name": line.name,
        "type": "line",
        "showSymbol": False,
        "lineStyle": {"width": 2},
        "areaStyle": {"opacity": 0.35 if stacked else 0.06},
        "stack": "all" if stacked else None,
        "data": [],
    }
